import type { ThresholdRule } from '../alert-rule.ts';
import { type AlertFinding, findingOf } from './finding.ts';
import { type Evaluation, keyedRows } from './keyed-rows.ts';

/**
 * Sums of the window. Asks the ledger, not this process: a threshold holds for the whole fleet and
 * survives restarts. Each watched key is among the findings. Rejects as the reader does.
 */
export async function evaluateThreshold(
  rule: ThresholdRule,
  evaluation: Evaluation,
): Promise<readonly AlertFinding[]> {
  const { now } = evaluation;
  const from = new Date(now.getTime() - rule.windowMs);
  const { rows, calls, missing } = await keyedRows(rule, evaluation, { from, to: now });
  const found: AlertFinding[] = [];
  if (calls === 0) found.push({ key: null, noData: true });
  for (const [key, [row]] of rows) if (row) found.push(findingOf(rule.metric, key, row));
  // Who has made no call in the window has used nothing in it.
  for (const key of missing) {
    if (calls > 0 || key !== null) found.push({ key, noData: false, value: 0 });
  }
  return found;
}
