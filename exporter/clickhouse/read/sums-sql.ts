import type { UsageSums } from '../../ledger/queries/usage-sums.ts';
import { SUM_COLUMNS } from '../schema/call-sums.ts';

const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Members of `UsageSums`, each with its expression over rows of `SUM_COLUMNS` and an outcome. */
export const SUMS: readonly (readonly [name: keyof UsageSums, expression: string])[] = [
  ...SUM_COLUMNS.map(
    (column) => [camel(column) as keyof UsageSums, `sum(source.${column})`] as const,
  ),
  ['errors', "sumIf(source.calls, outcome = 'error')"],
  ['aborted', "sumIf(source.calls, outcome = 'aborted')"],
  ['blocked', "sumIf(source.calls, outcome = 'blocked')"],
];
