import type { EndedCall } from '../domain/ended-call.ts';
import { failedQuietly, quietly } from '../host/quietly.ts';
import type { CountableInput } from '../domain/call-shape.ts';
import type { ReportedUsage } from '../domain/reported-usage.ts';
import { encodingForModel } from '../tokens/index.ts';
import type { BackgroundCounter } from '../tokens/background.ts';
import type { TokenSource, TokenUsage } from '../domain/usage-record.ts';

export type Counting = 'missing' | 'always' | 'never';

export interface FilledUsage {
  readonly usage: TokenUsage;
  readonly tokenSource: TokenSource | undefined;
  /** With `counting: 'always'`: what was counted beside what the provider reported. */
  readonly counted?: { readonly inputTokens?: number; readonly outputTokens?: number } | undefined;
}

interface Count {
  readonly tokens: number;
  readonly exact: boolean;
}

/** What the provider reported, or undefined when something is missing and is to be counted. */
export function usageAsReported(ended: EndedCall, counting: Counting): FilledUsage | undefined {
  const usage = ended.reply.usage;
  const reported: FilledUsage = {
    usage: usage ?? {},
    tokenSource: usage === undefined ? undefined : 'provider',
  };
  if (!ended.tokenStatistics) return { usage: {}, tokenSource: undefined };
  // A request nobody answered has used nothing that could be known here.
  if (counting === 'never' || ended.request === undefined || !ended.replied) {
    return withoutPlaceholder(reported, usage);
  }
  return counting === 'missing' && isComplete(ended, usage) ? reported : undefined;
}

/** What the provider reported, however little that is. */
export function asReported(ended: EndedCall): FilledUsage {
  const { usage } = ended.reply;
  if (!ended.tokenStatistics || usage === undefined) return { usage: {}, tokenSource: undefined };
  return withoutPlaceholder({ usage, tokenSource: 'provider' }, usage);
}

/** Counts what is missing, off the caller's path. Never rejects. */
export async function fillUsage(
  ended: EndedCall,
  counting: Counting,
  counter: BackgroundCounter,
): Promise<FilledUsage> {
  const usage: ReportedUsage = ended.reply.usage ?? {};
  const needsInput = usage.inputTokens === undefined;
  const needsOutput =
    ended.shape.inputOnly !== true && (usage.outputTokens === undefined || usage.final === 'input');
  const all = counting === 'always';
  const model = ended.reply.responseModel ?? ended.facts.model;
  const [input, output] = await Promise.all([
    all || needsInput ? countInput(ended, model, counter) : undefined,
    ended.shape.inputOnly !== true && (all || needsOutput)
      ? countOutput(ended, model, counter)
      : undefined,
  ]);

  const filled: { -readonly [K in keyof TokenUsage]: TokenUsage[K] } = tokenFields(usage);
  const used: Count[] = [];
  if (needsInput && input !== undefined) {
    filled.inputTokens = input.tokens;
    used.push(input);
  }
  if (needsOutput) {
    delete filled.outputTokens;
    if (output !== undefined) {
      filled.outputTokens = Math.max(output.tokens, filled.reasoningTokens ?? 0);
      used.push(output);
    }
  }
  return {
    usage: filled,
    tokenSource: sourceOf(used, ended.reply.usage !== undefined),
    counted: all
      ? {
          ...(input === undefined ? {} : { inputTokens: input.tokens }),
          ...(output === undefined ? {} : { outputTokens: output.tokens }),
        }
      : undefined,
  };
}

function sourceOf(used: readonly Count[], reported: boolean): TokenSource | undefined {
  if (used.length === 0) return reported ? 'provider' : undefined;
  return used.every((count) => count.exact) ? 'counted' : 'estimated';
}

function isComplete(ended: EndedCall, usage: ReportedUsage | undefined): boolean {
  if (usage?.inputTokens === undefined || usage.final === 'input') return false;
  return usage.outputTokens !== undefined || ended.shape.inputOnly === true;
}

function withoutPlaceholder(reported: FilledUsage, usage: ReportedUsage | undefined): FilledUsage {
  if (usage?.final !== 'input') return reported;
  const { outputTokens: _placeholder, ...rest } = reported.usage;
  return { ...reported, usage: rest };
}

function tokenFields(usage: ReportedUsage): TokenUsage {
  const fields: { -readonly [K in keyof TokenUsage]: TokenUsage[K] } = {};
  if (usage.inputTokens !== undefined) fields.inputTokens = usage.inputTokens;
  if (usage.outputTokens !== undefined) fields.outputTokens = usage.outputTokens;
  if (usage.cacheReadTokens !== undefined) fields.cacheReadTokens = usage.cacheReadTokens;
  if (usage.cacheWriteTokens !== undefined) fields.cacheWriteTokens = usage.cacheWriteTokens;
  if (usage.reasoningTokens !== undefined) fields.reasoningTokens = usage.reasoningTokens;
  return fields;
}

async function countInput(
  ended: EndedCall,
  model: string | undefined,
  counter: BackgroundCounter,
): Promise<Count | undefined> {
  const countable = countableOf(ended);
  if (countable === undefined || countable.kind === 'unknown') return undefined;
  try {
    const { tokens, exact } =
      countable.kind === 'texts'
        ? await countTexts(countable, model, counter)
        : await countChat(countable.request, isOwnRequest(countable, ended), model, counter);
    // No request is empty: what it sends could not be read.
    return tokens === 0 ? undefined : { tokens, exact: exact && countable.partial !== true };
  } catch (error) {
    return failedQuietly('counting tokens', error);
  }
}

function countableOf(ended: EndedCall): CountableInput | undefined {
  return quietly('reading a request for counting', () => ended.shape.countable(ended.request));
}

/**
 * Whether the request is one of OpenAI's APIs, as the caller sent it to OpenAI. Of a framework's
 * request, which is translated for counting, it is not known which API gets it; tools and replies
 * differ between the APIs, and on Azure and behind gateways.
 */
function isOwnRequest(countable: CountableInput, ended: EndedCall): boolean {
  return (
    countable.kind === 'chat' && countable.request === ended.request && ended.provider === 'openai'
  );
}

async function countChat(
  request: unknown,
  isOwn: boolean,
  model: string | undefined,
  counter: BackgroundCounter,
): Promise<Count> {
  const { tokens, quality, parts } = await counter.countChat(request, model);
  const usesTools = parts.tools !== undefined || parts.toolCalls !== undefined;
  return { tokens, exact: quality === 'exact' && (isOwn || !usesTools) };
}

async function countTexts(
  countable: Extract<CountableInput, { kind: 'texts' }>,
  model: string | undefined,
  counter: BackgroundCounter,
): Promise<Count> {
  const tokens = countable.tokens + (await counter.countTexts(countable.texts, model));
  return { tokens, exact: model !== undefined && encodingForModel(model).quality === 'exact' };
}

async function countOutput(
  ended: EndedCall,
  model: string | undefined,
  counter: BackgroundCounter,
): Promise<Count | undefined> {
  const { outputs } = ended.reply;
  // A reply that nobody read: unknown, not nothing.
  if (outputs.length === 0) return undefined;
  const countable = countableOf(ended);
  const request =
    countable !== undefined && isOwnRequest(countable, ended) ? ended.request : undefined;
  try {
    const counts = await Promise.all(
      outputs.map((output) => counter.countCompletion(output, model, request)),
    );
    return {
      tokens: counts.reduce((sum, count) => sum + count.tokens, 0),
      exact: ended.reply.closed && counts.every((count) => count.quality === 'exact'),
    };
  } catch (error) {
    return failedQuietly('counting tokens', error);
  }
}
