import { PLANES, type Splitter, type TokensByLength, type VocabularyTable } from './tables.ts';
import type { EngineExports } from './wasm-exports.ts';
import { wasm, type WasmModule } from './webassembly.ts';

/**
 * Engines tier up a WebAssembly function between calls, never during one, so tables are built in
 * batches.
 */
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

/** Creates an instance with the tables of one vocabulary. */
export function buildInstance(parts: EngineParts, table: VocabularyTable): EngineExports {
  const engine = reserveInstance(parts);
  new Uint8Array(engine.memory.buffer).set(parts.classes, engine.classes);
  engine.buildClasses();
  reserveTables(engine, sizesOf(table));
  fillTables(engine, table);
  engine.closeTables();
  return engine;
}

/**
 * Copies `old` without the memory it allocated for large texts. WebAssembly memory never shrinks,
 * so a new instance is the only way to release it.
 */
export function renewInstance(
  parts: EngineParts,
  sizes: TableSizes,
  old: EngineExports,
): EngineExports {
  const engine = reserveInstance(parts);
  engine.buildClasses();
  reserveTables(engine, sizes);
  engine.closeTables();
  const tables = old.openInput(0);
  engine.openInput(0);
  new Uint8Array(engine.memory.buffer).set(new Uint8Array(old.memory.buffer, 0, tables));
  engine.setLongestToken(old.longestToken());
  return engine;
}

export interface TableSizes {
  readonly byLength: TokensByLength;
  readonly longBytes: number;
  readonly pairs: number;
  readonly wholePieces: boolean;
}

/** Sizes needed to lay out the tables, so that the vocabulary itself need not be kept. */
export function sizesOf(table: VocabularyTable): TableSizes {
  const { tokens, byLength, longBytes, extraPairs, wholePieces } = table;
  const pairs = tokens + (extraPairs?.length ?? 0) / 3;
  return { byLength, longBytes, pairs, wholePieces: wholePieces === true };
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
  const { byLength, longBytes, pairs, wholePieces } = sizes;
  const [short, medium, long] = byLength;
  engine.setWholePieces(Number(wholePieces));
  engine.reserveTables(
    log2Slots(short, 1.6),
    log2Slots(medium, 1.6),
    log2Slots(long, 2),
    log2Slots(pairs, 1.3),
    longBytes,
  );
}

/** Number of slots: a power of two, at least `spare` times the entries. */
function log2Slots(entries: number, spare: number): number {
  return Math.ceil(Math.log2(Math.max(entries, 16) * spare));
}

/** Works in batches, which also need less memory: memory after the tables is never released. */
function fillTables(engine: EngineExports, table: VocabularyTable): void {
  const { byteCount, extraPairs = new Uint32Array(0), planes, singleBytes, tokens } = table;
  const windowBytes = Math.max(PLANES * BATCH, extraPairs.byteLength);
  // Further merges may produce a token in another way, or before its parts.
  engine.setReachable(Number(table.extraPairs === undefined));
  const window = engine.openInput(align(windowBytes) + 4 * (tokens + 1) + byteCount + 16);
  const memory = new Uint8Array(engine.memory.buffer);
  memory.set(singleBytes, window);
  engine.addSingleBytes(window, window + align(windowBytes), tokens);
  const merged = planes.length / PLANES;
  for (let from = 0; from < merged; from += BATCH) {
    const count = Math.min(BATCH, merged - from);
    for (let plane = 0; plane < PLANES; plane++) {
      const start = plane * merged + from;
      memory.set(planes.subarray(start, start + count), window + plane * count);
    }
    engine.addTokens(window, count);
  }
  const { buffer, byteOffset, byteLength } = extraPairs;
  memory.set(new Uint8Array(buffer, byteOffset, byteLength), window);
  engine.addPairs(window, extraPairs.length / 3);
}

function align(bytes: number): number {
  return (bytes + 7) & ~7;
}
