import type { Bill, BillLine } from '../bill.ts';
import { allPages, type ApiAccess } from './http-pages.ts';
import { numberAt, textAt } from './json-values.ts';

/**
 * Activity of an OpenRouter account. Shape: API reference, "Get user activity grouped by endpoint"
 * (`GET /api/v1/activity`), as of November 2026: the last 30 completed days in UTC, in US dollars.
 */
export async function openrouterBill(access: ApiAccess): Promise<Bill> {
  const items = await allPages(access, '/activity', []);
  const lines: BillLine[] = [];
  let ownKeys = 0;
  for (const item of items) {
    const day = textAt(item, 'date')?.slice(0, 10);
    const model = textAt(item, 'model');
    if (day === undefined || model === undefined) continue;
    const of = { day, model };
    const quantities = {
      calls: numberAt(item, 'requests'),
      input_tokens: numberAt(item, 'prompt_tokens'),
      output_tokens: numberAt(item, 'completion_tokens'),
      reasoning_tokens: numberAt(item, 'reasoning_tokens'),
    };
    for (const [kind, quantity] of Object.entries(quantities)) {
      if (quantity !== undefined) lines.push({ ...of, kind, quantity });
    }
    const costUsd = numberAt(item, 'usage');
    if (costUsd !== undefined) lines.push({ ...of, costUsd });
    ownKeys += numberAt(item, 'byok_usage_inference') ?? 0;
  }
  return {
    source: `OpenRouter activity at ${new URL(access.baseUrl).origin}`,
    lines,
    gives: ['usage', 'costs'],
    notes: [
      'OpenRouter reports the last 30 completed days.',
      ...(ownKeys > 0
        ? [`$${ownKeys.toFixed(2)} were billed by providers to your own keys, not by OpenRouter.`]
        : []),
    ],
  };
}
