import type { BillLine } from './bill.ts';

/** `-2025-11-13` or `-20251113` at the end of a model name. */
const DATE = /-20\d\d-?\d\d-?\d\d$/;

/**
 * Names of models in a bill that the ledger has under another one: without the date of the version, or with
 * it. A name is taken for another one only if no third model could be meant.
 */
export function billModelNames(
  lines: readonly BillLine[],
  ledgerModels: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const inBill = new Set(lines.flatMap(({ model }) => model ?? []));
  const alone = [...ledgerModels].filter((model) => !inBill.has(model));
  const aliases = new Map<string, string>();
  const undated = (name: string): string => name.replace(DATE, '').toLowerCase();
  for (const name of inBill) {
    if (ledgerModels.has(name)) continue;
    const others = alone.filter((model) => undated(model) === undated(name));
    const rivals = [...inBill].filter(
      (other) => !ledgerModels.has(other) && undated(other) === undated(name),
    );
    const [only] = others;
    if (only !== undefined && others.length === 1 && rivals.length === 1) aliases.set(name, only);
  }
  return aliases;
}
