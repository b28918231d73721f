import { inBilledTokens } from '../../domain/billed-usage.ts';
import type { ReportedUsage } from '../../domain/reported-usage.ts';
import type { TokenUsage, UsageRecord } from '../../domain/usage-record.ts';
import { present } from '../../tokens/json.ts';

/** Token counts as spans and metrics have them, and what the provider reported beside them. */
export interface MetricTokens {
  readonly counts: TokenUsage;
  readonly usage: ReportedUsage | undefined;
}

/**
 * The conventions want billed tokens where a provider reports processed ones too, and none that were
 * counted locally unless the user has asked for it (`withCounted`).
 */
export function metricTokens(
  record: UsageRecord,
  usage: ReportedUsage | undefined,
  withCounted: boolean,
): MetricTokens {
  const isReported = record.tokenSource === 'provider';
  const counts = isReported || withCounted ? record : reportedPart(usage);
  const { billedInputTokens, billedOutputTokens } = usage ?? {};
  if (billedInputTokens === undefined && billedOutputTokens === undefined) return { counts, usage };
  const billed = present({ billedInputTokens, billedOutputTokens });
  return { counts: inBilledTokens({ ...counts, ...billed }), usage };
}

/** Of a stream that was cut the input may be final already. */
function reportedPart(usage: ReportedUsage | undefined): TokenUsage {
  if (usage?.final !== 'input') return usage ?? {};
  const { outputTokens: _output, reasoningTokens: _reasoning, ...input } = usage;
  return input;
}

/** Tokens of one count in each modality. Undefined where the provider does not split this count. */
export function byModality(
  { usage }: MetricTokens,
  count: keyof TokenUsage,
  value: number,
): ReadonlyMap<string, number> | undefined {
  if (usage === undefined) return undefined;
  const parts = partsOf(count, usage);
  const known = parts.filter(([, part]) => part !== undefined) as [string, number][];
  if (known.length === 0) return undefined;
  const text = value - known.reduce((sum, [, part]) => sum + part, 0);
  if (text < 0) return undefined;
  return new Map([['text', text] as const, ...known.filter(([, part]) => part > 0)]);
}

function partsOf(
  count: keyof TokenUsage,
  usage: ReportedUsage,
): readonly (readonly [modality: string, tokens: number | undefined])[] {
  if (count === 'inputTokens') {
    return [
      ['audio', usage.audioInputTokens],
      ['image', usage.imageInputTokens],
      ['video', usage.videoInputTokens],
    ];
  }
  if (count === 'cacheReadTokens') {
    return [
      ['audio', usage.audioCacheReadTokens],
      ['image', usage.imageCacheReadTokens],
      ['video', usage.videoCacheReadTokens],
    ];
  }
  if (count === 'outputTokens') {
    return [
      ['audio', usage.audioOutputTokens],
      ['image', usage.imageOutputTokens],
      ['video', usage.videoOutputTokens],
    ];
  }
  return [];
}
