import { objectAt, type JsonObject } from '../../tokens/json.ts';
import type { Bill, BillLine } from '../bill.ts';
import type { Range } from '../comparison.ts';
import { allPages, type ApiAccess } from './http-pages.ts';
import { amountAt, numberAt, textAt } from './json-values.ts';

/**
 * Usage and cost reports of an Anthropic organization. Shapes: Admin API reference, "Get Messages Usage Report"
 * and "Get Cost Report", anthropic-version 2023-06-01, as documented in early 2026. Amounts are cents.
 */
export async function anthropicBill(
  access: ApiAccess,
  { from, to }: Range,
  { accounts }: { readonly accounts: 'api_key_id' | 'workspace_id' },
): Promise<Bill> {
  const range: readonly (readonly [string, string])[] = [
    ['starting_at', instant(from)],
    ['ending_at', instant(to)],
    ['bucket_width', '1d'],
    ['limit', '31'],
  ];
  const groups = ['model', 'service_tier', accounts].map((name) => ['group_by[]', name] as const);
  const usage = await allPages(access, '/organizations/usage_report/messages', [
    ...range,
    ...groups,
  ]);
  const costs = await allPages(access, '/organizations/cost_report', [
    ...range,
    ['group_by[]', 'description'],
    // Costs are not grouped by key.
    ...(accounts === 'workspace_id' ? [['group_by[]', accounts] as const] : []),
  ]);
  const lines: BillLine[] = [];
  for (const { day, result } of results(usage)) lines.push(...usageLines(day, result, accounts));
  for (const { day, result } of results(costs)) {
    const cents = amountAt(result, 'amount');
    if (cents === undefined) continue;
    const model = textAt(result, 'model');
    lines.push({
      day,
      costUsd: cents / 100,
      ...(model !== undefined && { model }),
      ...(accounts === 'workspace_id' && { account: textAt(result, accounts) ?? NO_ACCOUNT }),
    });
  }
  const isPriority = lines.some(({ tier }) => tier?.startsWith('priority') === true);
  return {
    source: `Anthropic usage and cost reports at ${new URL(access.baseUrl).origin}`,
    lines,
    gives: ['usage', 'costs'],
    notes: isPriority
      ? ['The cost report does not include the priority tier, which has usage in this range.']
      : [],
  };
}

/** The Console, or the default workspace. */
const NO_ACCOUNT = '(none)';

function usageLines(day: string, result: JsonObject, accounts: string): readonly BillLine[] {
  const written = objectAt(result, 'cache_creation');
  const model = textAt(result, 'model');
  const tier = textAt(result, 'service_tier');
  const quantities = {
    uncached_input_tokens: numberAt(result, 'uncached_input_tokens'),
    cache_read_tokens: numberAt(result, 'cache_read_input_tokens'),
    cache_write_5m_tokens: numberAt(written, 'ephemeral_5m_input_tokens'),
    cache_write_1h_tokens: numberAt(written, 'ephemeral_1h_input_tokens'),
    output_tokens: numberAt(result, 'output_tokens'),
    web_searches: numberAt(objectAt(result, 'server_tool_use'), 'web_search_requests'),
  };
  return Object.entries(quantities).flatMap(([kind, quantity]) =>
    quantity === undefined
      ? []
      : {
          day,
          kind,
          quantity,
          ...(model !== undefined && { model }),
          account: textAt(result, accounts) ?? NO_ACCOUNT,
          ...(tier !== undefined && tier !== 'standard' && { tier }),
        },
  );
}

function* results(
  buckets: readonly JsonObject[],
): Generator<{ readonly day: string; readonly result: JsonObject }> {
  for (const bucket of buckets) {
    const start = textAt(bucket, 'starting_at');
    const list = bucket['results'];
    if (start === undefined || !Array.isArray(list)) continue;
    for (const result of list as readonly JsonObject[]) yield { day: start.slice(0, 10), result };
  }
}

function instant(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
