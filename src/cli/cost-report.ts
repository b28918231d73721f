import { TokenMeterError } from '../errors.ts';
import type { CacheSaving } from '../prices/cache-savings.ts';
import type { CostAnalysis } from '../prices/cost-analysis.ts';
import type { WastedCost } from '../prices/wasted-cost.ts';
import type { WhatIf, WhatIfRule } from '../prices/what-if.ts';
import {
  type ShownCurrency,
  shownCost,
  shownCount,
  shownName,
  shownPartial,
  shownSum,
} from './shown-number.ts';
import { textTable } from './text-table.ts';

/** `gpt-4o=gpt-4.1-mini`. */
export function whatIfRule(text: string): WhatIfRule {
  const [from = '', to = '', ...rest] = text.split('=');
  if (from !== '' && to !== '' && rest.length === 0) return { from, to };
  throw new TokenMeterError('INVALID_OPTION', '--what-if is not valid', {
    value: text,
    allowed: 'MODEL=OTHER, such as gpt-4o=gpt-4.1-mini',
  });
}

/** Sections below the table of a report. */
export function costSections(
  { caching, failed, aborted, whatIf }: CostAnalysis,
  currency?: ShownCurrency,
): string {
  const sections = [
    cachingSection(caching, currency),
    wastedSection(failed, aborted, currency),
    ...whatIf.map((answer) => whatIfSection(answer, currency)),
  ];
  return sections.map((section) => `\n${section}`).join('');
}

function signedIn(currency: ShownCurrency | undefined): (usd: number) => string {
  return (usd) => (usd < 0 ? `-${shownCost(-usd, currency)}` : shownCost(usd, currency));
}

function cachingSection(
  caching: CostAnalysis['caching'],
  currency: ShownCurrency | undefined,
): string {
  const signed = signedIn(currency);
  if (caching.calls === 0) return 'Caching: no call used a prompt cache.\n';
  const cells = ({ calls, readSavedUsd, writePremiumUsd, savedUsd }: CacheSaving): string[] => [
    shownCount(calls),
    signed(readSavedUsd),
    signed(writePremiumUsd),
    signed(savedUsd),
  ];
  const numbers = ['calls', 'reads saved', 'writes cost more', 'saved'];
  const unknown =
    caching.unknownCalls === 0
      ? ''
      : `${shownCount(caching.unknownCalls)} of the calls are in no sum: their prices are not known\n`;
  return (
    'What caching saved, against the input price\n' +
    textTable(
      ['by', '', ...numbers],
      [
        ...caching.byModel.map((row) => ['model', shownName(row.model), ...cells(row)]),
        ...caching.byUser.map((row) => ['user', shownName(row.user), ...cells(row)]),
        ['TOTAL', '', ...cells(caching)],
      ],
      numbers,
    ) +
    unknown
  );
}

function wastedSection(
  failed: WastedCost,
  aborted: WastedCost,
  currency: ShownCurrency | undefined,
): string {
  const numbers = ['calls', 'cost', 'estimated', 'without price', 'tried again', 'their cost'];
  const row = (name: string, wasted: WastedCost): string[] => [
    name,
    shownCount(wasted.calls),
    shownSum(wasted, currency),
    shownCount(wasted.estimatedCalls),
    shownCount(wasted.unpricedCalls),
    shownCount(wasted.retried.calls),
    shownSum(wasted.retried, currency),
  ];
  const partial = failed.partialCostCalls + aborted.partialCostCalls;
  return (
    'What calls without a whole reply cost\n' +
    textTable(['', ...numbers], [row('failed', failed), row('aborted', aborted)], numbers) +
    'Tried again: the same user, conversation and model succeeded within a minute\n' +
    (partial === 0 ? '' : `The cost is at least what is shown: ${shownPartial(partial)}\n`)
  );
}

const KINDS = [
  ['input', 'input'],
  ['cache reads', 'cacheReads'],
  ['cache writes', 'cacheWrites'],
  ['output', 'output'],
  ['audio, images, tools', 'modalitiesAndTools'],
] as const;

function whatIfSection(answer: WhatIf, currency: ShownCurrency | undefined): string {
  const signed = signedIn(currency);
  const { from, to, calls, comparedCalls, costUsd, costThenUsd, savedUsd } = answer;
  const head = `${shownName(to)} in place of ${shownName(from)}\n`;
  if (calls === 0) return `${head}No calls of ${shownName(from)} in this range.\n`;
  const notes = notesOf(answer);
  if (costUsd === undefined || costThenUsd === undefined || savedUsd === undefined) {
    return `${head}None of ${shownCount(calls)} calls can be compared.\n${notes}`;
  }
  const { byKind, byKindThen } = answer;
  const rows = KINDS.map(([name, kind]): [string, number, number] => [
    name,
    byKind?.[kind] ?? 0,
    byKindThen?.[kind] ?? 0,
  ]).filter(([, now, then]) => now !== 0 || then !== 0);
  const numbers = ['now', 'then', 'saved'];
  return (
    `${head}${shownCount(comparedCalls)} of ${shownCount(calls)} calls, the same token counts at the prices of each\n` +
    textTable(
      ['', ...numbers],
      [...rows, ['TOTAL', costUsd, costThenUsd] as const].map(([name, now, then]) => [
        name,
        signed(now),
        signed(then),
        signed(now - then),
      ]),
      numbers,
    ) +
    notes
  );
}

function notesOf(answer: WhatIf): string {
  const { from, to, unpricedCalls, unpricedThen, missing, missingThen, otherTokenizer } = answer;
  const notes = [
    ...(unpricedCalls > 0
      ? [`${shownCount(unpricedCalls)} calls have no price for ${shownName(from)}`]
      : []),
    ...(unpricedThen > 0
      ? [`${shownCount(unpricedThen)} calls have no price for ${shownName(to)}`]
      : []),
    ...parts(from, missing),
    ...parts(to, missingThen),
    ...(otherTokenizer
      ? [
          'The two models may count the same text differently: the token counts of the ledger are used',
        ]
      : []),
    'Replies of another model may be longer or shorter',
  ];
  return notes.map((note) => `${note}\n`).join('');
}

function parts(model: string, missing: Readonly<Record<string, number>>): string[] {
  const names = Object.entries(missing).map(([name, calls]) => `${name} (${shownCount(calls)})`);
  return names.length === 0
    ? []
    : [`At least: no price of ${shownName(model)} for ${names.join(', ')}`];
}

type Row = readonly (string | number | null | undefined)[];

/** One line a sum: what it is of, and what it was and would have been. */
export async function costCsv({ caching, failed, aborted, whatIf }: CostAnalysis): Promise<string> {
  const { csvLine } = await import('otel-token-meter/exporter');
  const head = [
    'section',
    'name',
    'calls',
    'cost_usd',
    'cost_then_usd',
    'saved_usd',
    'partial_cost_calls',
    'unpriced_calls',
    'missing',
  ];
  const saving = (section: string, name: string | null, of: CacheSaving): Row => [
    section,
    name,
    of.calls,
    undefined,
    undefined,
    of.savedUsd,
    undefined,
    of.unknownCalls,
  ];
  const wasted = (section: string, of: Omit<WastedCost, 'retried'>): Row => [
    section,
    '',
    of.calls,
    of.costUsd,
    undefined,
    undefined,
    of.partialCostCalls,
    of.unpricedCalls,
  ];
  const rows: Row[] = [
    saving('caching', '', caching),
    ...caching.byModel.map((row) => saving('caching_by_model', row.model, row)),
    ...caching.byUser.map((row) => saving('caching_by_user', row.user, row)),
    wasted('failed', failed),
    wasted('failed_retried', failed.retried),
    wasted('aborted', aborted),
    wasted('aborted_retried', aborted.retried),
    ...whatIf.map((of) => [
      'what_if',
      `${of.from}=${of.to}`,
      of.calls,
      of.costUsd,
      of.costThenUsd,
      of.savedUsd,
      undefined,
      of.calls - of.comparedCalls,
      [...new Set([...Object.keys(of.missing), ...Object.keys(of.missingThen)])].join(' '),
    ]),
  ];
  return [head, ...rows]
    .map((row) => csvLine([...row, ...head.slice(row.length).map(() => undefined)]))
    .join('');
}
