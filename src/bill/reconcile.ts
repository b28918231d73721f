import { COST, type Bill } from './bill.ts';
import { compare, type Comparison, type Range } from './comparison.ts';
import { coverageOf, type Coverage } from './coverage.ts';
import type { LedgerFigures } from './ledger-figures.ts';
import { costReasons, type CostOfQuantities } from './reasons/cost-reasons.ts';
import type { Finding } from './reasons/reason.ts';
import { usageReasons } from './reasons/usage-reasons.ts';
import { type Row, rowsOf } from './rows.ts';

export interface ReconciledRow extends Row {
  /** Codes of the findings that explain its gap. */
  readonly reasons: readonly string[];
}

export interface Reconciliation {
  readonly rows: readonly ReconciledRow[];
  readonly findings: readonly Finding[];
  /** `not_compared`: no gap, but what the bill should give was not there to be compared. */
  readonly state: 'equal' | 'gap' | 'not_compared';
  readonly coverage: Coverage;
  /** Lines of the bill that are not in the range. */
  readonly linesOutside: number;
  readonly aliases: Comparison['aliases'];
}

/** Hours around the range that days in another time zone need. */
export const ZONE_HOURS = 14;

/** Sets a bill beside the ledger and tests why they differ. */
export function reconcile(
  bill: Bill,
  ledger: LedgerFigures,
  range: Range,
  costOf: CostOfQuantities,
): Reconciliation {
  const comparison = compare(bill, ledger, range);
  const findings: Finding[] = [];
  const rows: ReconciledRow[] = [];
  for (const series of comparison.series) {
    const usage = usageReasons(comparison, series);
    const found = [
      ...usage.findings.map((finding) => ({ ...finding, ...keyCost(finding, usage.unmetered) })),
      ...costReasons(series, usage, costOf),
    ];
    findings.push(...found);
    for (const row of rowsOf(series)) {
      rows.push({ ...row, reasons: row.state === 'gap' ? reasonsOf(row, found) : [] });
    }
    function keyCost(
      { code }: Finding,
      keys: readonly string[],
    ): Pick<Finding, 'costUsd' | 'about'> | undefined {
      if (code !== 'unmetered_key' || !series.hasCost) return undefined;
      const costs = keys.flatMap((key) =>
        [...(series.accounts.get(key)?.values() ?? [])].flatMap(({ cost }) => cost ?? []),
      );
      if (costs.length === 0) return { about: 'both' };
      return { costUsd: costs.reduce((sum, cost) => sum + cost, 0) / 1e9, about: 'both' };
    }
  }
  const coverage = coverageOf(bill, comparison, rows);
  const isGap = rows.some(({ state }) => state === 'gap');
  return {
    rows,
    findings,
    state: isGap ? 'gap' : coverage.absent.length > 0 ? 'not_compared' : 'equal',
    coverage,
    linesOutside: comparison.linesOutside,
    aliases: comparison.aliases,
  };
}

function reasonsOf({ day, kind }: Row, findings: readonly Finding[]): readonly string[] {
  const isCost = kind === COST;
  const fitting = findings.filter(
    ({ days, about }) => days.includes(day) && (about === 'both' || (about === 'cost') === isCost),
  );
  return [...new Set(fitting.map(({ code }) => code))];
}
