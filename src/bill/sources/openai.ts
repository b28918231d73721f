import type { JsonObject } from '../../tokens/json.ts';
import type { Bill, BillLine } from '../bill.ts';
import type { Range } from '../comparison.ts';
import { allPages, type ApiAccess } from './http-pages.ts';
import { amountAt, numberAt, textAt } from './json-values.ts';

/**
 * Usage and costs of an OpenAI organization. Shapes: OpenAI API reference, "Usage" and "Costs", as in the types
 * of the `openai` package 7.57 (resources/admin/organization/usage).
 */
export async function openaiBill(
  access: ApiAccess,
  { from, to }: Range,
  { accounts }: { readonly accounts: 'api_key_id' | 'project_id' },
): Promise<Bill> {
  const range: readonly (readonly [string, string])[] = [
    ['start_time', String(Math.floor(from.getTime() / 1000))],
    ['end_time', String(Math.floor(to.getTime() / 1000))],
    ['bucket_width', '1d'],
  ];
  const lines: BillLine[] = [];
  for (const { path, groups, quantities } of USAGE) {
    const grouped = ['model', accounts, ...groups].map((name) => ['group_by[]', name] as const);
    const pages = await allPages(access, path, [...range, ['limit', '31'], ...grouped]);
    for (const { day, result } of results(pages)) {
      const account = textAt(result, accounts);
      const model = textAt(result, 'model');
      const tier = result['batch'] === true ? 'batch' : textAt(result, 'service_tier');
      for (const [kind, quantityOf] of quantities) {
        const quantity = quantityOf(result);
        if (quantity === undefined) continue;
        lines.push({
          day,
          kind,
          quantity,
          ...(model !== undefined && { model }),
          account: account ?? NO_ACCOUNT,
          ...(tier !== undefined && { tier }),
        });
      }
    }
  }
  const { costs, notes } = await costLines(access, range, accounts);
  return {
    source: `OpenAI organization usage and costs at ${new URL(access.baseUrl).origin}`,
    lines: [...lines, ...costs],
    gives: ['usage', 'costs'],
    notes,
  };
}

/** Usage that no key has, such as that of the playground. */
const NO_ACCOUNT = '(none)';

type QuantityOf = (result: JsonObject) => number | undefined;

interface UsageEndpoint {
  readonly path: string;
  readonly groups: readonly string[];
  readonly quantities: readonly (readonly [kind: string, of: QuantityOf])[];
}

const field =
  (...names: readonly string[]): QuantityOf =>
  (result) => {
    const known = names.flatMap((name) => numberAt(result, name) ?? []);
    return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
  };
const CALLS = ['calls', field('num_model_requests')] as const;

const USAGE: readonly UsageEndpoint[] = [
  {
    path: '/organization/usage/completions',
    groups: ['batch', 'service_tier'],
    quantities: [
      CALLS,
      ['input_tokens', field('input_tokens')],
      ['cache_read_tokens', field('input_cached_tokens')],
      ['output_tokens', field('output_tokens')],
      // The cached ones are counted apart.
      ['audio_input_tokens', field('input_audio_tokens', 'input_cached_audio_tokens')],
      ['audio_output_tokens', field('output_audio_tokens')],
    ],
  },
  {
    path: '/organization/usage/embeddings',
    groups: [],
    quantities: [CALLS, ['input_tokens', field('input_tokens')]],
  },
  {
    path: '/organization/usage/images',
    groups: [],
    quantities: [CALLS, ['generated_images', field('images')]],
  },
  {
    path: '/organization/usage/audio_speeches',
    groups: [],
    quantities: [CALLS, ['input_characters', field('characters')]],
  },
  {
    path: '/organization/usage/audio_transcriptions',
    groups: [],
    quantities: [CALLS, ['audio_input_seconds', field('seconds')]],
  },
];

async function costLines(
  access: ApiAccess,
  range: readonly (readonly [string, string])[],
  accounts: string,
): Promise<{ readonly costs: readonly BillLine[]; readonly notes: readonly string[] }> {
  const pages = await allPages(access, '/organization/costs', [
    ...range,
    ['limit', '180'],
    ['group_by[]', 'line_item'],
    ['group_by[]', accounts],
  ]);
  const costs: BillLine[] = [];
  const foreign = new Set<string>();
  for (const { day, result } of results(pages)) {
    const amount = result['amount'] as JsonObject | undefined;
    const costUsd = amountAt(amount, 'value');
    if (costUsd === undefined) continue;
    const currency = textAt(amount, 'currency') ?? 'usd';
    if (currency.toLowerCase() !== 'usd') {
      foreign.add(currency);
      continue;
    }
    const model = modelOfLine(textAt(result, 'line_item'));
    const account = textAt(result, accounts) ?? NO_ACCOUNT;
    costs.push({ day, costUsd, account, ...(model !== undefined && { model }) });
  }
  const notes = [...foreign].map(
    (code) => `Costs in ${code} were left out: only USD is documented.`,
  );
  return { costs, notes };
}

/** `gpt-6-astra, input_tokens` is about a model; `Code Interpreter sessions` is not. */
function modelOfLine(item: string | undefined): string | undefined {
  return item === undefined ? undefined : /^([^\s,]+), /.exec(item)?.[1];
}

function* results(
  pages: readonly JsonObject[],
): Generator<{ readonly day: string; readonly result: JsonObject }> {
  for (const bucket of pages) {
    const start = numberAt(bucket, 'start_time');
    const list = bucket['results'];
    if (start === undefined || !Array.isArray(list)) continue;
    const day = new Date(start * 1000).toISOString().slice(0, 10);
    for (const result of list as readonly JsonObject[]) yield { day, result };
  }
}
