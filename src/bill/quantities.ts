import { BILLED_KINDS, billedUsageOf, type BilledUsage } from '../domain/billed-usage.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { kindName } from '../prices/kinds.ts';

type Quantity = (usage: BilledUsage, record: UsageRecord) => number;

/**
 * Quantities of a bill, and the same quantity of a recorded call. `input_tokens` and `output_tokens` are
 * whole counts; the others are parts of them, as providers report them.
 */
const QUANTITIES: ReadonlyMap<string, Quantity> = new Map<string, Quantity>([
  // Refused requests are not billed.
  ['calls', (_, { outcome }) => Number(outcome !== 'error')],
  ['input_tokens', ({ inputTokens = 0 }) => inputTokens],
  [
    'uncached_input_tokens',
    ({ inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 }) =>
      inputTokens - cacheReadTokens - cacheWriteTokens,
  ],
  ['cache_read_tokens', ({ cacheReadTokens = 0 }) => cacheReadTokens],
  ['cache_write_tokens', ({ cacheWriteTokens = 0 }) => cacheWriteTokens],
  [
    'cache_write_5m_tokens',
    ({ cacheWriteTokens = 0, cacheWrite1hTokens = 0 }) => cacheWriteTokens - cacheWrite1hTokens,
  ],
  ['output_tokens', ({ outputTokens = 0 }) => outputTokens],
  ['reasoning_tokens', ({ reasoningTokens = 0 }) => reasoningTokens],
  ...BILLED_KINDS.map(({ field }): [string, Quantity] => [
    kindName(field),
    (usage) => usage[field] ?? 0,
  ]),
]);

export const QUANTITY_NAMES: readonly string[] = [...QUANTITIES.keys()];

/** Every quantity of a call that is not 0. */
export function quantitiesOf(record: UsageRecord): ReadonlyMap<string, number> {
  const usage = billedUsageOf(record);
  const found = new Map<string, number>();
  for (const [name, quantity] of QUANTITIES) {
    const amount = quantity(usage, record);
    if (amount !== 0) found.set(name, amount);
  }
  return found;
}

/** The counts of a sum of calls, from the quantities that a bill has of them. */
export function usageOfQuantities(quantities: ReadonlyMap<string, number>): BilledUsage {
  const of = (name: string): number => quantities.get(name) ?? 0;
  const write1h = of('cache_write_1h_tokens');
  const written = quantities.has('cache_write_5m_tokens')
    ? of('cache_write_5m_tokens') + write1h
    : of('cache_write_tokens');
  const read = of('cache_read_tokens');
  const input = quantities.has('uncached_input_tokens')
    ? of('uncached_input_tokens') + read + written
    : of('input_tokens');
  return {
    inputTokens: input,
    outputTokens: of('output_tokens'),
    cacheReadTokens: read,
    cacheWriteTokens: written,
    cacheWrite1hTokens: write1h,
    webSearches: of('web_searches'),
    audioInputTokens: of('audio_input_tokens'),
    audioOutputTokens: of('audio_output_tokens'),
  };
}
