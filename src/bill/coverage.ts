import { COST, type Bill, type BillSide } from './bill.ts';
import type { Comparison } from './comparison.ts';
import type { Row } from './rows.ts';

/** Which figures were compared, and which were not. */
export interface Coverage {
  /** Kinds of the rows: names of quantities, and `cost_usd`. */
  readonly compared: readonly string[];
  /** Kinds that the ledger has and the bill does not give. */
  readonly onlyInLedger: readonly string[];
  /** Days of models whose usage was not compared, since the bill has it in part. */
  readonly daysInPart: number;
  /** What a bill of this source gives, and of which no figure was compared. */
  readonly absent: readonly BillSide[];
}

/** Quantities that are a part of another one, in whose place they are compared. */
const STANDS_FOR: ReadonlyMap<string, string> = new Map([
  ['uncached_input_tokens', 'input_tokens'],
  ['cache_write_5m_tokens', 'cache_write_tokens'],
]);

const wholeOf = (kind: string): string => STANDS_FOR.get(kind) ?? kind;

export function coverageOf(
  { gives }: Bill,
  { recorded, daysInPart }: Pick<Comparison, 'recorded' | 'daysInPart'>,
  rows: readonly Row[],
): Coverage {
  const compared = new Set(rows.map(({ kind }) => kind));
  const wholes = new Set([...compared].map(wholeOf));
  const inLedger = new Set<string>();
  for (const models of recorded.values()) {
    for (const { quantities, cost } of models.values()) {
      for (const kind of quantities.keys()) inLedger.add(wholeOf(kind));
      if (cost !== undefined) inLedger.add(COST);
    }
  }
  const hasCosts = compared.has(COST);
  const hasUsage = compared.size > Number(hasCosts);
  return {
    compared: [...compared],
    daysInPart,
    onlyInLedger: [...inLedger].filter((kind) => !wholes.has(kind)).sort(),
    absent: gives.filter((side) => (side === 'costs' ? !hasCosts : !hasUsage)),
  };
}
