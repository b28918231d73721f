import { TimeZone } from '../../ledger/queries/time-zone.ts';
import type { SpikeRule } from '../alert-rule.ts';
import { windowOf } from '../next-state.ts';
import { type AlertFinding, type AlertThresholds, findingOf } from './finding.ts';
import { type Evaluation, keyedRows } from './keyed-rows.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const HOUR_MS = 3_600_000;
/** Past weeks that are looked at, and how many of them it takes. */
const WEEKS = 8;
const REQUIRED_WEEKS = 4;
/** From the median absolute deviation to the standard deviation of a normal distribution. */
const MAD_TO_DEVIATION = 1.4826;
/** Of the median: equal weeks would make any difference unusual. */
const LEAST_DEVIATION = 0.1;

/** Values of the same time in past weeks, by key; a week that is not known is undefined. */
interface Usual {
  readonly until: number;
  readonly weeks: readonly ReadonlyMap<string | null, number | undefined>[];
}

/** Compares a window with the same time of past weeks. These are asked for again after a part of the window. */
export class SpikeEvaluator {
  readonly #rule: SpikeRule;
  #usual: Usual | undefined;
  #weeks: { readonly until: number; readonly count: number } | undefined;

  constructor(rule: SpikeRule) {
    this.#rule = rule;
  }

  /** Without enough weeks the findings have no value. */
  async evaluate(evaluation: Evaluation): Promise<readonly AlertFinding[]> {
    const { now } = evaluation;
    const { weeks } = await this.#usualOf(evaluation);
    const from = new Date(now.getTime() - windowOf(this.#rule));
    const { rows, missing } = await keyedRows(this.#rule, evaluation, { from, to: now });
    const none = { unpricedCalls: 0, partialCostCalls: 0, [this.#rule.metric]: 0 };
    const current = [
      ...[...rows].map(([key, [row = none]]) => [key, row] as const),
      ...missing.map((key) => [key, none] as const),
    ];
    return current.map(([key, row]) =>
      this.#findingOf(findingOf(this.#rule.metric, key, row), weeks),
    );
  }

  #findingOf(finding: AlertFinding, weeks: Usual['weeks']): AlertFinding {
    const past = weeks
      .map((week) => (week.has(finding.key) ? week.get(finding.key) : 0))
      .filter((value) => value !== undefined);
    const { value: _, atLeast: _atLeast, ...unknown } = finding;
    if (past.length < REQUIRED_WEEKS) return unknown;
    const usual = median(past);
    const deviation = MAD_TO_DEVIATION * median(past.map((value) => Math.abs(value - usual)));
    const reach = Math.max(deviation, LEAST_DEVIATION * usual);
    const { warning, alert, minimum } = this.#rule;
    const at = (distance: number): number => Math.max(minimum, usual + distance * reach);
    const thresholds: AlertThresholds = {
      ...(warning !== undefined && { warning: at(warning) }),
      ...(alert !== undefined && { alert: at(alert) }),
    };
    return { ...finding, usual, thresholds };
  }

  async #usualOf(evaluation: Evaluation): Promise<Usual> {
    const now = evaluation.now.getTime();
    if (this.#usual !== undefined && now < this.#usual.until) return this.#usual;
    const windowMs = windowOf(this.#rule);
    const zone = await TimeZone.load(this.#rule.timeZone ?? 'UTC');
    const count = await this.#weeksOf(evaluation);
    const weeks: ReadonlyMap<string | null, number | undefined>[] = [];
    for (let week = 1; week <= count; week++) {
      const to = sameTimeOf(zone, now, week);
      const range = { from: new Date(to - windowMs), to: new Date(to) };
      const { rows } = await keyedRows(this.#rule, { ...evaluation, watched: new Set() }, range);
      weeks.push(new Map([...rows].map(([key, [row]]) => [key, row?.[this.#rule.metric]])));
    }
    this.#usual = { until: now + Math.max(60_000, windowMs / 12), weeks };
    return this.#usual;
  }

  /** Whole weeks that the ledger has known the calls of the rule. */
  async #weeksOf({ reader, now, signal }: Evaluation): Promise<number> {
    if (this.#weeks !== undefined && now.getTime() < this.#weeks.until) return this.#weeks.count;
    const { rows } = await reader.summary({
      from: new Date(now.getTime() - (WEEKS + 1) * WEEK_MS),
      to: now,
      groupBy: ['day'],
      ...(this.#rule.filter && { filter: this.#rule.filter }),
      ...(signal && { signal }),
    });
    const first = Math.min(...rows.map(({ start }) => Date.parse(start ?? '')));
    // Recording may have begun in the middle of the first day.
    const ageMs = now.getTime() - windowOf(this.#rule) - (first + DAY_MS);
    const count = Number.isFinite(first) ? Math.floor(ageMs / WEEK_MS) : 0;
    this.#weeks = { until: now.getTime() + HOUR_MS, count: Math.max(0, Math.min(WEEKS, count)) };
    return this.#weeks.count;
  }
}

/** The same local time some weeks ago, also across a change of clocks. */
function sameTimeOf(zone: TimeZone, now: number, weeks: number): number {
  const then = now - weeks * WEEK_MS;
  return then + zone.offsetMs(now) - zone.offsetMs(then);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}
