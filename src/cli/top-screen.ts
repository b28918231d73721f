import type { UsageMetric, UsageRow, UsageSummary } from 'otel-token-meter/exporter';
import type { CurrencyRate } from '../prices/currency.ts';
import { fitWidth, padEnd } from './display-width.ts';
import {
  shownCount,
  shownDuration,
  shownName,
  shownPartial,
  shownShare,
  shownSum,
  shownShort,
  withoutControls,
} from './shown-number.ts';

export interface TopView {
  readonly answer: UsageSummary;
  /** Rows grouped by hour. */
  readonly hours: readonly UsageRow[];
  readonly orderBy: UsageMetric;
  readonly time: Date;
}

export interface TopScreenOptions {
  readonly source: string;
  readonly width: number;
  readonly color: boolean;
  readonly since?: string;
  /** Why the numbers could not be refreshed. */
  readonly problem?: string | undefined;
  /** Where prices come from. */
  readonly prices?: string;
  readonly currency?: CurrencyRate | undefined;
  /** Show the keys in the last line. */
  readonly keys?: boolean;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const HOUR_MS = 3_600_000;

/** Renders the screen. No line is wider than the terminal. */
export function topScreen(view: TopView | undefined, options: TopScreenOptions): string {
  const { width, color, problem, keys, prices } = options;
  const paint = (code: number, text: string): string =>
    color ? `\u001B[${code}m${text}\u001B[0m` : text;
  const lines = view === undefined ? [] : viewLines(view, options, paint);
  if (prices !== undefined) lines.push('', paint(2, fitWidth(prices, width)));
  if (problem !== undefined) {
    lines.push('', ...wrapped(`! ${problem}`, width).map((line) => paint(31, line)));
  }
  if (keys === true) {
    const names =
      'u users  m models  c conversations  p providers  s services  o outcomes  t teams  q quit';
    lines.push('', paint(2, fitWidth(names, width)));
  }
  return `${lines.join('\n')}\n`;
}

type Paint = (code: number, text: string) => string;

function viewLines(view: TopView, options: TopScreenOptions, paint: Paint): string[] {
  const { answer, hours, time } = view;
  const { width, source, currency, since = '1h' } = options;
  const { total, groupBy } = answer;
  const title = `token usage by ${groupBy.join(' and ') || 'total'}, ${since}, ${time.toISOString().slice(11, 19)} UTC, ${source}`;
  const numbers = [
    callsOf(total.calls),
    `${shownShort(total.totalTokens)} tokens`,
    shownSum(total, currency),
    `${shownShare(total.errorRate)} errors`,
    `p95 ${shownDuration(total.durationP95Ms)}`,
    `${shownShort(total.outputTokensPerSecond)} tokens/s`,
  ];
  return [
    paint(1, fitWidth(title, width)),
    fitWidth(numbers.join('  '), width),
    paint(36, fitWidth(`24 h ${sparkline(hours, time)}`, width)),
    ...(total.partialCostCalls > 0
      ? [
          fitWidth(
            `The cost is at least what is shown: ${shownPartial(total.partialCostCalls)}`,
            width,
          ),
        ]
      : []),
    '',
    ...(total.calls === 0
      ? ['No calls were recorded in this window.']
      : barLines(view, options, paint)),
  ];
}

function barLines(
  { answer, orderBy }: TopView,
  { width, currency }: TopScreenOptions,
  paint: Paint,
): string[] {
  const { rows, groupBy } = answer;
  const valueOf = (row: UsageRow): number => row[orderBy] ?? 0;
  const shown = (row: UsageRow): string =>
    orderBy === 'costUsd' ? shownSum(row, currency) : shownShort(row[orderBy]);
  const largest = Math.max(...rows.map(valueOf), 0);
  // Bars get the width that names, numbers and gaps leave.
  const nameWidth = Math.min(28, Math.max(6, Math.floor(width * 0.3)));
  const barWidth = Math.max(0, width - nameWidth - 44);
  return rows.map((row) => {
    const name = fitWidth(groupBy.map((group) => shownName(row[group])).join(' / '), nameWidth);
    const cells = [
      shown(row).padStart(9),
      shownShare(row.share).padStart(8),
      callsOf(row.calls).padStart(12),
      shownSum(row, currency).padStart(12),
    ];
    const bar = barOf(largest === 0 ? 0 : valueOf(row) / largest, barWidth);
    const line = `${padEnd(name, nameWidth)} ${fitWidth(cells.join(' '), width - nameWidth - 1)}`;
    return barWidth < 4
      ? fitWidth(line, width)
      : `${padEnd(name, nameWidth)} ${paint(32, bar.padEnd(barWidth))}${cells.join('')}`.trimEnd();
  });
}

const callsOf = (calls: number): string => `${shownCount(calls)} call${calls === 1 ? '' : 's'}`;

/** Bar with a resolution of an eighth of a character. */
function barOf(share: number, width: number): string {
  const eighths = Math.round(share * width * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** One character per hour, the current hour last. Hours without calls are blank. */
function sparkline(hours: readonly UsageRow[], time: Date): string {
  const tokens = new Map(hours.map((row) => [Date.parse(row.start ?? ''), row.totalTokens ?? 0]));
  const last = Math.floor(time.getTime() / HOUR_MS) * HOUR_MS;
  const values = Array.from({ length: 24 }, (_, ago) => tokens.get(last - (23 - ago) * HOUR_MS));
  const largest = Math.max(1, ...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      return LEVELS[Math.round((value / largest) * (LEVELS.length - 1))] ?? ' ';
    })
    .join('');
}

/** Wraps a problem instead of truncating it, since the fix is at its end. */
function wrapped(text: string, width: number): string[] {
  return withoutControls(text).match(new RegExp(`.{1,${Math.max(1, width)}}`, 'gu')) ?? [];
}
