import { workedMs } from './clock.ts';
import { textTable } from '../../src/cli/text-table.ts';
import { randomFrom } from './inputs.ts';
import type { Engine } from './peers.ts';
import { target } from './report.ts';
import { median } from './statistics.ts';

const SIZES = [10_000, 100_000, 500_000] as const;
/** An engine that exceeds this time skips the next size. */
const PATIENCE_MS = 3000;

const INPUTS: Readonly<Record<string, (length: number) => string>> = {
  a: (length) => 'a'.repeat(length),
  space: (length) => ' '.repeat(length),
  newline: (length) => '\n'.repeat(length),
  'random CJK': (length) => random(length, 0x4e00, 0x5000),
  'random a-z': (length) => random(length, 97, 26),
};

function random(length: number, from: number, count: number): string {
  const next = randomFrom(7);
  return String.fromCodePoint(
    ...Array.from({ length: Math.min(length, 50_000) }, () => from + Math.floor(next() * count)),
  )
    .repeat(Math.ceil(length / 50_000))
    .slice(0, length);
}

/** One piece without a break, the worst case for a quadratic tokenizer. */
export function benchHostile(engines: readonly Engine[]): void {
  const rows: string[][] = [];
  for (const [i, { name, count }] of engines.entries()) {
    for (const [input, make] of Object.entries(INPUTS)) {
      const times: (number | undefined)[] = [];
      for (const size of SIZES) {
        const before = times.at(-1) ?? 0;
        // Quadratic engines take a hundred times as long for ten times the text.
        if (times.includes(undefined) || before * 25 > PATIENCE_MS) times.push(undefined);
        else times.push(medianTime(count, make(size), i === 0 ? 5 : 1));
      }
      rows.push([name, input, ...times.map((ms) => ms?.toFixed(1) ?? '-')]);
      const [, middle = NaN, long = NaN] = times;
      if (i === 0) {
        target(`500,000 × ${input}, ms`, long, '≤', 400);
        target(`500,000 × ${input}, × the time of 100,000`, long / middle, '≤', 10);
      }
    }
  }
  const head = ['engine', 'input', '10,000', '100,000', '500,000'];
  console.log('\n## One piece without a break, ms (- : would take too long)\n');
  console.log(textTable(head, rows, head.slice(2)));
}

function medianTime(count: (text: string) => number, text: string, rounds: number): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = workedMs();
    count(text);
    times.push(workedMs() - start);
  }
  return median(times);
}
