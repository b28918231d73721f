import {
  PLANES,
  SINGLE_BYTES,
  tokenLengths,
  type Splitter,
  type VocabularyTable,
} from './tables.ts';
import type { EngineExports } from './wasm-exports.ts';
import { wasm, type WasmModule } from './webassembly.ts';

/** WebAssembly optimises a function between two calls, never within one: so build in batches. */
const BATCH = 4096;
const KINDS: Readonly<Record<Splitter['kind'], number>> = {
  cased: 0,
  plain: 1,
  gpt2: 2,
  deepseek: 3,
};

export interface EngineParts {
  readonly module: WasmModule;
  readonly classes: Uint8Array;
  readonly splitter: Splitter;
}

/** A new instance with the tables of one vocabulary built in its memory. */
export function buildInstance(
  parts: EngineParts,
  sizes: TableSizes,
  table: VocabularyTable,
): EngineExports {
  const engine = reserveInstance(parts);
  new Uint8Array(engine.memory.buffer).set(parts.classes, engine.classes);
  engine.buildClasses();
  reserveTables(engine, sizes);
  fillTables(engine, table);
  return engine;
}

/**
 * A copy of `old` without the memory it took for large texts: WebAssembly memory never shrinks, so
 * a new instance is the only way to give it back.
 */
export function renewInstance(
  parts: EngineParts,
  sizes: TableSizes,
  old: EngineExports,
): EngineExports {
  const engine = reserveInstance(parts);
  engine.buildClasses();
  reserveTables(engine, sizes);
  const tables = old.openInput(0);
  engine.openInput(0);
  new Uint8Array(engine.memory.buffer).set(new Uint8Array(old.memory.buffer, 0, tables));
  engine.setLongestToken(old.longestToken());
  return engine;
}

export interface TableSizes {
  /** Tokens of up to 7, of 8 to 15, and of more bytes. */
  readonly byLength: readonly [short: number, medium: number, long: number];
  readonly pairs: number;
  readonly byteCount: number;
  readonly wholePieces: boolean;
}

/** How large the tables of a vocabulary will be. */
export function sizesOf(table: VocabularyTable): TableSizes {
  const byLength: [number, number, number] = [0, 0, 0];
  for (const length of tokenLengths(table)) byLength[length < 8 ? 0 : length < 16 ? 1 : 2]++;
  const pairs = table.tokens + (table.extraPairs?.length ?? 0) / 3;
  return { byLength, pairs, byteCount: table.byteCount, wholePieces: table.wholePieces === true };
}

function reserveInstance({
  module,
  classes,
  splitter,
}: EngineParts): EngineExports & { readonly classes: number } {
  const exports = instantiate(module);
  exports.setSplitter(
    KINDS[splitter.kind],
    splitter.maxDigits,
    Number(splitter.contractions),
    Number(splitter.slashTail),
  );
  return { ...exports, classes: exports.reserveClasses(classes.length) };
}

function instantiate(module: WasmModule): EngineExports {
  if (wasm === undefined) throw new Error('This host has no WebAssembly');
  return new wasm.Instance(module, {}).exports as EngineExports;
}

function reserveTables(engine: EngineExports, sizes: TableSizes): void {
  const { byLength, pairs, byteCount, wholePieces } = sizes;
  const [short, medium, long] = byLength;
  engine.setWholePieces(Number(wholePieces));
  engine.reserveTables(
    log2Slots(short, 1.6),
    log2Slots(medium, 1.6),
    log2Slots(long, 2),
    log2Slots(pairs, 1.3),
    byteCount,
  );
}

/** Slots as a power of two, at least `spare` times the entries. */
function log2Slots(entries: number, spare: number): number {
  return Math.ceil(Math.log2(Math.max(entries, 16) * spare));
}

function fillTables(engine: EngineExports, table: VocabularyTable): void {
  const { planes, tokens } = table;
  const extra = table.extraPairs ?? new Uint32Array(0);
  const planesAt = SINGLE_BYTES;
  const startsAt = align(planesAt + planes.length);
  const extraAt = startsAt + 4 * (tokens + 1);
  const input = engine.openInput(extraAt + extra.byteLength);
  const memory = new Uint8Array(engine.memory.buffer);
  memory.set(table.singleBytes, input);
  memory.set(planes, input + planesAt);
  memory.set(new Uint8Array(extra.buffer, extra.byteOffset, extra.byteLength), input + extraAt);
  engine.addSingleBytes(input, input + startsAt);
  const merged = planes.length / PLANES;
  for (let from = 0; from < merged; from += BATCH) {
    engine.addTokens(input + planesAt, merged, from, Math.min(from + BATCH, merged));
  }
  engine.addPairs(input + extraAt, extra.length / 3);
}

function align(bytes: number): number {
  return (bytes + 7) & ~7;
}
