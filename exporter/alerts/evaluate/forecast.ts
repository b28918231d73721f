import { forecastMetric } from '../../ledger/forecast/month-forecast.ts';
import { HISTORY_DAYS, dayOf } from '../../ledger/forecast/usage-forecast.ts';
import { type Month, monthOf } from '../../ledger/forecast/month.ts';
import { TimeZone } from '../../ledger/queries/time-zone.ts';
import type { UsageRow } from '../../ledger/usage-query.ts';
import type { ForecastRule } from '../alert-rule.ts';
import type { AlertFinding } from './finding.ts';
import { type Evaluation, type KeyedRows, keyedRows } from './keyed-rows.ts';

/** Keys that are projected separately: the days of each are half a year of rows. */
const MAX_KEYS = 100;
/** Days that are over change only where records arrive late. */
const KEEP_MS = 3_600_000;

interface History {
  readonly today: number;
  readonly until: number;
  readonly days: KeyedRows;
}

/** Projects the month of a rule. Keeps the days that are over for an hour, so a round asks for today only. */
export class ForecastEvaluator {
  readonly #rule: ForecastRule;
  #history: History | undefined;

  constructor(rule: ForecastRule) {
    this.#rule = rule;
  }

  /** Keys without enough history have no value. */
  async evaluate(evaluation: Evaluation): Promise<readonly AlertFinding[]> {
    const { now, watched } = evaluation;
    const zone = await TimeZone.load(this.#rule.timeZone ?? 'UTC');
    const month = monthOf(zone, now.getTime());
    const startOfToday = new Date(zone.startOfDay(month.today));
    const { days } = await this.#historyOf(evaluation, month, zone, startOfToday);
    const keys = new Set([...days.rows.keys(), ...watched]);
    const today =
      startOfToday < now
        ? await keyedRows(
            this.#rule,
            { ...evaluation, watched: keys },
            { from: startOfToday, to: now },
          )
        : undefined;
    return [...keys].map((key) => {
      const past = days.rows.get(key) ?? [];
      const rows = new Map(past.map((row) => [dayOf(row), row]));
      const [ofToday] = today?.rows.get(key) ?? [];
      if (ofToday) rows.set(month.today, ofToday);
      return this.#findingOf(key, rows, month);
    });
  }

  #findingOf(key: string | null, rows: ReadonlyMap<number, UsageRow>, month: Month): AlertFinding {
    const forecast = forecastMetric(rows, month, this.#rule.metric);
    const { projected, used, low, high, atLeast } = forecast ?? {};
    return {
      key,
      noData: false,
      from: new Date(month.fromMs).toISOString(),
      to: new Date(month.toMs).toISOString(),
      ...(projected !== undefined && { value: projected }),
      ...(used !== undefined && { used }),
      ...(low !== undefined && { low }),
      ...(high !== undefined && { high }),
      ...(atLeast && { atLeast }),
    };
  }

  async #historyOf(
    evaluation: Evaluation,
    { today }: Month,
    zone: TimeZone,
    to: Date,
  ): Promise<History> {
    const now = evaluation.now.getTime();
    const known = this.#history;
    const isKnown = known !== undefined && known.today === today && now < known.until;
    const hasAll = [...evaluation.watched].every(
      (key) => known?.days.rows.has(key) || known?.days.missing.includes(key),
    );
    if (isKnown && hasAll) return known;
    const days = await keyedRows(this.#rule, evaluation, {
      from: new Date(zone.startOfDay(today - HISTORY_DAYS)),
      to,
      byDay: true,
      limit: MAX_KEYS,
      timeZone: zone.name,
    });
    this.#history = { today, until: now + KEEP_MS, days };
    return this.#history;
  }
}
