import { workedMs } from './clock.ts';
import type { Input } from './inputs.ts';
import type { Engine } from './peers.ts';
import { median } from './statistics.ts';

const ROUNDS = 9;

/** Milliseconds of each engine on one input, in engine order. */
export interface Timing {
  readonly input: string;
  readonly characters: number;
  readonly median: readonly number[];
  /** First pass over the input, if there are several. */
  readonly first?: readonly number[];
}

/** Warms up all engines, so that only the novelty of the text differs. */
export function warmUp(engines: readonly Engine[]): void {
  const text = 'The five boxing wizards jump quickly: 漢字とかな, мир, {"a": 1}, 🎄.\n';
  for (const { count } of engines) for (let i = 0; i < 300; i++) count(`${i} ${text}`);
}

/** Interleaved rounds over the same text. */
export function* timeRepeated(
  engines: readonly Engine[],
  inputs: readonly Input[],
): Generator<Timing> {
  for (const { name, texts } of inputs) {
    const times = engines.map(() => [] as number[]);
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [i, engine] of rotated(engines, round)) times[i]?.push(timeOf(engine, texts));
    }
    yield {
      input: name,
      characters: texts.reduce((sum, text) => sum + text.length, 0),
      median: times.map((list) => median(list.slice(1))),
      first: times.map((list) => list[0] ?? NaN),
    };
  }
}

/** Each engine counts each text once. */
export function* timeUnseen(
  engines: readonly Engine[],
  inputs: readonly Input[],
): Generator<Timing> {
  for (const { name, texts } of inputs) {
    const times = engines.map(() => [] as number[]);
    for (const [chunk, text] of texts.entries()) {
      for (const [i, engine] of rotated(engines, chunk)) times[i]?.push(timeOf(engine, [text]));
    }
    yield { input: name, characters: texts[0]?.length ?? 0, median: times.map(median) };
  }
}

function timeOf({ count }: Engine, texts: readonly string[]): number {
  const start = workedMs();
  for (const text of texts) count(text);
  return workedMs() - start;
}

/** Rotates the order, so that no engine always runs after the same other one. */
function rotated<T>(list: readonly T[], by: number): (readonly [index: number, item: T])[] {
  return list.map((_, i) => {
    const index = (i + by) % list.length;
    return [index, list[index] as T] as const;
  });
}
