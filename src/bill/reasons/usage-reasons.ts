import type { Comparison, Series } from '../comparison.ts';
import type { LedgerSums } from '../ledger-figures.ts';
import type { Finding } from './reason.ts';
import { zoneName, zonesThatFit } from './time-zone.ts';
import { keysThatFit } from './unmetered-keys.ts';

/** What is known after the quantities of a series were compared. */
export interface UsageReasons {
  readonly findings: readonly Finding[];
  /** The ledger in the days of the bill. */
  readonly ledger: ReadonlyMap<string, LedgerSums>;
  /** Keys whose usage is not in the ledger, and so not in its cost. */
  readonly unmetered: readonly string[];
  /** Days whose quantities remain different. */
  readonly open: ReadonlySet<string>;
}

/** Tests why the quantities of a series differ, if they do. */
export function usageReasons(comparison: Comparison, series: Series): UsageReasons {
  const gaps = gapsOf(series);
  const isCostOnly = series.kinds.length === 0;
  const equal: UsageReasons = {
    findings: [],
    ledger: series.ledger,
    unmetered: [],
    open: new Set(),
  };
  const hasCostGap =
    isCostOnly &&
    series.days.some(
      (day) =>
        Math.abs((series.bill.get(day)?.cost ?? 0) - (series.ledger.get(day)?.cost ?? 0)) >
        series.tolerance(day),
    );
  if (gaps.length === 0 && !hasCostGap) return equal;
  const zones = zonesThatFit(comparison, series);
  const keys = isCostOnly ? [] : keysThatFit(series);
  const days = isCostOnly ? series.days : [...new Set(gaps.map(({ day }) => day))];
  const { model } = series;
  const usageOf = keys.map((those) => `usage of ${keyNames(those)}`);
  const daysIn = (those: typeof zones): readonly string[] =>
    those.length === 0
      ? []
      : [`days in ${those.map((zone) => zoneName(zone.offsetHours)).join(', ')}`];
  const [names] = keys;
  if (names !== undefined) {
    const alternatives = [...usageOf.slice(1), ...daysIn(zones)];
    const subject = keyNames(names);
    const text = `The usage of ${subject} is not in the ledger: it equals the gap of every quantity on every day.`;
    const finding = { code: 'unmetered_key', model, days, subject, text, alternatives } as const;
    return { ...equal, findings: [{ ...finding, about: 'quantities' }], unmetered: names };
  }
  const [zone] = zones;
  if (zone !== undefined) {
    const subject = zoneName(zone.offsetHours);
    const text = `The days of the bill are days in ${subject}: so shifted, the ledger equals it on every day.`;
    const about = 'both';
    const alternatives = daysIn(zones.slice(1));
    return {
      ...equal,
      findings: [{ code: 'time_zone', model, days, subject, text, alternatives, about }],
      ledger: zone.ledger,
    };
  }
  if (isCostOnly) return equal;
  return { ...equal, findings: openGaps(series, gaps), open: new Set(days) };
}

interface UsageGap {
  readonly day: string;
  readonly kind: string;
  readonly gap: number;
}

function gapsOf({ days, kinds, bill, ledger }: Series): readonly UsageGap[] {
  return days.flatMap((day) =>
    kinds.flatMap((kind) => {
      const gap =
        (bill.get(day)?.quantities.get(kind) ?? 0) - (ledger.get(day)?.quantities.get(kind) ?? 0);
      return Math.abs(gap) < 1e-6 ? [] : [{ day, kind, gap }];
    }),
  );
}

/** Gaps that neither a key nor a time zone explains: what their signs and calls say. */
function openGaps(series: Series, gaps: readonly UsageGap[]): readonly Finding[] {
  const byDay = Map.groupBy(gaps, ({ day }) => day);
  const groups = Map.groupBy([...byDay], ([day, those]) => codeOfGap(series, day, those));
  return [...groups].map(([code, entries]): Finding => {
    const days = entries.map(([day]) => day);
    const calls = entries
      .flatMap(([, those]) => those)
      .filter(({ kind }) => kind === 'calls')
      .reduce((sum, { gap }) => sum + Math.abs(gap), 0);
    const more = calls === 0 ? 'more usage' : calls === 1 ? 'one call more' : `${calls} calls more`;
    const cost = series.hasCost ? costGap(series, days) : undefined;
    return {
      code,
      model: series.model,
      days,
      subject:
        code === 'other_counts'
          ? [...new Set(entries.flatMap(([, those]) => those.map(({ kind }) => kind)))].join(', ')
          : '',
      text: OPEN_TEXTS[code]({
        more,
        series,
        kinds: sumsByKind(entries.flatMap(([, those]) => those)),
      }),
      ...(cost !== undefined && { costUsd: cost }),
      alternatives: [],
      about: 'both',
    };
  });
}

const WHY_OTHER =
  'Either the replies did not report it as the bill does, or something between provider and SDK (a gateway, a proxy) changed it.';

/** What the texts are about. */
interface OpenGap {
  /** `two calls more` */
  readonly more: string;
  readonly series: Series;
  /** `+120 cache_read_tokens` */
  readonly kinds: string;
}

const OPEN_TEXTS: Readonly<Record<OpenCode, (gap: OpenGap) => string>> = {
  calls_not_metered: ({ more, series: { accounts } }) =>
    `The bill has ${more} than the ledger: calls that were not metered, or of other keys. ${
      accounts.size === 0
        ? 'The bill is not grouped by key, so it does not show which.'
        : accounts.size === 1
          ? 'All of the bill is of one key, so a part of its calls is missing.'
          : 'No key, and no set of keys, has just this usage, so it is a part of their calls.'
    }`,
  calls_not_billed: ({ more }) =>
    `The ledger has ${more} than the bill: calls of another account, calls that failed and were not billed, or a bill that is not complete yet.`,
  other_counts: ({ kinds, series }) =>
    series.kinds.includes('calls') && !/ calls\b/.test(kinds)
      ? `The number of calls is the same, so no call is missing: the bill has ${kinds} for them. ${WHY_OTHER}`
      : `Whole input and output are the same, so no call with tokens is missing: the bill has ${kinds}. ${WHY_OTHER}`,
  estimated_tokens: () =>
    'The number of calls is the same, and the tokens differ by no more than what the ledger has estimated.',
  unexplained: () =>
    'The quantities differ in both directions, and neither a key nor a time zone explains it.',
};

function costGap({ bill, ledger }: Series, days: readonly string[]): number {
  const of = (day: string): number => (bill.get(day)?.cost ?? 0) - (ledger.get(day)?.cost ?? 0);
  return days.reduce((sum, day) => sum + of(day), 0) / 1e9;
}

type OpenCode =
  | 'calls_not_metered'
  | 'calls_not_billed'
  | 'other_counts'
  | 'estimated_tokens'
  | 'unexplained';

function codeOfGap({ ledger, kinds }: Series, day: string, gaps: readonly UsageGap[]): OpenCode {
  const gapOf = (kind: string): number => gaps.find((each) => each.kind === kind)?.gap ?? 0;
  const callsDiffer = gapOf('calls') !== 0;
  const estimated = ledger.get(day)?.estimatedTokens ?? 0;
  const largest = Math.max(...gaps.map(({ gap }) => Math.abs(gap)));
  if (kinds.includes('calls') && !callsDiffer && estimated > 0 && largest <= estimated) {
    return 'estimated_tokens';
  }
  if (areSameCalls(kinds, gapOf)) return 'other_counts';
  if (gaps.every(({ gap }) => gap > 0)) return 'calls_not_metered';
  return gaps.every(({ gap }) => gap < 0) ? 'calls_not_billed' : 'unexplained';
}

const INPUT_PARTS = [
  'uncached_input_tokens',
  'cache_read_tokens',
  'cache_write_5m_tokens',
  'cache_write_1h_tokens',
];

/** A call more or less changes the number of calls, and input or output. */
function areSameCalls(kinds: readonly string[], gapOf: (kind: string) => number): boolean {
  if (kinds.includes('calls') && gapOf('calls') === 0) return true;
  const input = kinds.includes('input_tokens')
    ? gapOf('input_tokens')
    : INPUT_PARTS.reduce((sum, kind) => sum + gapOf(kind), 0);
  const hasInput = kinds.includes('input_tokens') || kinds.includes('uncached_input_tokens');
  return hasInput && kinds.includes('output_tokens') && input === 0 && gapOf('output_tokens') === 0;
}

/** `+120 cache_read_tokens, -7 output_tokens` */
function sumsByKind(gaps: readonly UsageGap[]): string {
  const sums = new Map<string, number>();
  for (const { kind, gap } of gaps) sums.set(kind, (sums.get(kind) ?? 0) + gap);
  return [...sums]
    .map(([kind, gap]) => `${gap > 0 ? '+' : ''}${gap.toLocaleString('en-US')} ${kind}`)
    .join(', ');
}

function keyNames(names: readonly string[]): string {
  return `${names.length === 1 ? 'key' : 'keys'} ${names.join(', ')}`;
}
