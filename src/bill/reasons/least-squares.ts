/**
 * Solves `rows × x ≈ values` with the least sum of squares, by the normal equations and Gaussian elimination.
 * Undefined if the columns do not determine `x`.
 */
export function leastSquares(
  rows: readonly (readonly number[])[],
  values: readonly number[],
): readonly number[] | undefined {
  const size = rows[0]?.length ?? 0;
  // Columns of similar size keep the elimination exact.
  const scales = Array.from({ length: size }, (_, k) =>
    Math.max(...rows.map((row) => Math.abs(row[k] ?? 0))),
  );
  if (scales.some((scale) => scale === 0)) return undefined;
  const scaled = rows.map((row) => row.map((value, k) => value / (scales[k] ?? 1)));
  const matrix = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (__, j) => dot(scaled, i, (row) => row[j] ?? 0)),
    dot(scaled, i, (_row, index) => values[index] ?? 0),
  ]);
  const solution = eliminate(matrix);
  return solution?.map((value, k) => value / (scales[k] ?? 1));
}

function dot(
  rows: readonly (readonly number[])[],
  column: number,
  other: (row: readonly number[], index: number) => number,
): number {
  return rows.reduce((sum, row, index) => sum + (row[column] ?? 0) * other(row, index), 0);
}

function eliminate(matrix: number[][]): readonly number[] | undefined {
  const size = matrix.length;
  for (let column = 0; column < size; column++) {
    const rest = matrix.slice(column);
    const pivot = rest.reduce((best, row) =>
      Math.abs(row[column] ?? 0) > Math.abs(best[column] ?? 0) ? row : best,
    );
    const head = pivot[column] ?? 0;
    if (Math.abs(head) < 1e-9) return undefined;
    const place = matrix.indexOf(pivot);
    [matrix[column], matrix[place]] = [pivot, matrix[column] ?? pivot];
    for (const row of matrix) {
      if (row === pivot) continue;
      const factor = (row[column] ?? 0) / head;
      for (let k = column; k <= size; k++) row[k] = (row[k] ?? 0) - factor * (pivot[k] ?? 0);
    }
  }
  return matrix.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
}
