import type { Period } from '../../view/period.ts';
import type { Gap } from '../../view/statistics-gaps.ts';

/** One value per bucket; undefined if unknown. */
export interface Series {
  readonly key: string;
  readonly name: string;
  /** Name of a custom property. */
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly values: readonly (number | undefined)[];
}

/** An event that may explain what is seen. */
export interface Note {
  /** ms */
  readonly time: number;
  readonly text: string;
}

export interface ChartData {
  readonly period: Period;
  readonly series: readonly Series[];
  readonly gaps: readonly Gap[];
  readonly notes: readonly Note[];
  readonly format: (value: number | undefined) => string;
  /** Whole numbers only. */
  readonly whole?: boolean;
}

/** `bars` are stacked. */
export type Shape = 'bars' | 'lines';

/** Start and end of a bucket, ms. */
export function bucketOf({ starts, end }: Period, index: number): readonly [number, number] {
  return [starts[index] ?? end, starts[index + 1] ?? end];
}
