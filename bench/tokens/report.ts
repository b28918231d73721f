import { textTable } from '../../src/cli/text-table.ts';
import { OURS, PLAIN, TIKTOKEN, type Engine } from './peers.ts';
import { geometricMean } from './statistics.ts';
import type { Timing } from './throughput.ts';

/** Prints the speed of each engine relative to tiktoken; the first pass in brackets. */
export function printRatios(
  title: string,
  engines: readonly Engine[],
  timings: readonly Timing[],
): void {
  const base = engines.findIndex(({ name }) => name === TIKTOKEN);
  const head = ['input', ...engines.map(({ name }) => name), 'ours MB/s'];
  const rows = timings.map(({ input, characters, median, first }) => [
    input,
    ...median.map((ms, i) => {
      const shown = ((median[base] ?? NaN) / ms).toFixed(1);
      return first === undefined
        ? shown
        : `${shown} (${((first[base] ?? NaN) / (first[i] ?? NaN)).toFixed(1)})`;
    }),
    (characters / 1000 / (median[0] ?? NaN)).toFixed(0),
  ]);
  const means = engines.map((_, i) =>
    geometricMean(timings.map(({ median }) => (median[base] ?? NaN) / (median[i] ?? NaN))).toFixed(
      1,
    ),
  );
  console.log(`\n## ${title}: ratio to tiktoken.encode_ordinary\n`);
  console.log(textTable(head, [...rows, ['geometric mean', ...means, '']], head.slice(1)));
}

export interface Verdict {
  readonly mean: number;
  readonly least: number;
  readonly leastOverPort: number;
}

/** Ours against tiktoken, and on each input against the fastest port. */
export function verdictOf(engines: readonly Engine[], timings: readonly Timing[]): Verdict {
  const indexOf = (wanted: string) => engines.findIndex(({ name }) => name === wanted);
  const ports = engines.flatMap(({ name }, i) =>
    [OURS, PLAIN, TIKTOKEN].includes(name) ? [] : [i],
  );
  const [ours, tiktoken] = [indexOf(OURS), indexOf(TIKTOKEN)];
  const over = timings.map(({ median }) => (median[tiktoken] ?? NaN) / (median[ours] ?? NaN));
  const overPort = timings.map(
    ({ median }) => Math.min(...ports.map((i) => median[i] ?? NaN)) / (median[ours] ?? NaN),
  );
  return {
    mean: geometricMean(over),
    least: Math.min(...over),
    leastOverPort: Math.min(...overPort),
  };
}

const targets: { what: string; measured: string; wanted: string; met: boolean }[] = [];

/** Adds a figure and its target to the last table. */
export function target(what: string, value: number, compare: '≥' | '≤', wanted: number): void {
  const met = compare === '≥' ? value >= wanted : value <= wanted;
  const digits = Math.abs(value) >= 100 ? 0 : 1;
  targets.push({ what, measured: value.toFixed(digits), wanted: `${compare} ${wanted}`, met });
}

export function printTargets(): void {
  const rows = targets.map(({ what, measured, wanted, met }) => [
    what,
    measured,
    wanted,
    met ? 'met' : 'MISSED',
  ]);
  console.log('\n## Targets\n');
  console.log(textTable(['figure', 'measured', 'target', ''], rows, ['measured', 'target']));
}
