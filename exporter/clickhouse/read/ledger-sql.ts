import type { Filters } from '../../ledger/queries/checked-query.ts';
import { dimensionOfKey } from '../../ledger/queries/dimension-key.ts';
import { LEDGER } from '../schema/columns.ts';
import type { BoundValues } from './bound-values.ts';

/**
 * The calls, each once: of the rows of one call `FINAL` takes that of the highest revision, also before the server
 * has merged them.
 */
export const CALLS: string = `${LEDGER} FINAL`;

/** Columns of all dimensions. */
export const KEYS: readonly string[] = [
  'service',
  'provider',
  'model',
  'outcome',
  'user',
  'conversation',
  'team',
  'error_type',
  'dimensions',
  'agent',
  'run_id',
  'tool',
];

const COLUMN_OF: Readonly<Record<string, string>> = { error: 'error_type', run: 'run_id' };

/** Expression of a dimension: a text, empty for calls without one. */
export function columnOf(dimension: string): string {
  // A name of letters, digits and `_`.
  const name = dimensionOfKey(dimension);
  return name === undefined ? (COLUMN_OF[dimension] ?? dimension) : `dimensions['${name}']`;
}

export function timeCondition(fromMs: number, toMs: number, bound: BoundValues): string {
  return `time >= ${bound.instant(fromMs)} AND time < ${bound.instant(toMs)}`;
}

/** ` AND …` */
export function filterConditions(filters: Filters, bound: BoundValues): string {
  return filters
    .map(({ dimension, values }) => {
      if (values.length === 0) return ' AND 0';
      const column = columnOf(dimension);
      const texts = values.map((value) => value ?? '');
      const [only = ''] = texts;
      if (texts.length === 1) return ` AND ${column} = ${bound.text(only)}`;
      return ` AND ${column} IN ${bound.texts(texts)}`;
    })
    .join('');
}
