import type { WasmMemory } from './webassembly.ts';

/** Exports of `assembly/index.ts`. Addresses and byte counts are plain numbers. */
export interface EngineExports {
  readonly memory: WasmMemory;
  setSplitter(kind: number, maxDigits: number, contractions: number, slashTail: number): void;
  reserveClasses(bytes: number): number;
  buildClasses(): void;
  reserveTables(
    log2Short: number,
    log2Medium: number,
    log2Long: number,
    log2Pairs: number,
    longBytes: number,
  ): void;
  closeTables(): void;
  openInput(bytes: number): number;
  addSingleBytes(bytes: number, starts: number, tokens: number): void;
  addTokens(planes: number, count: number): void;
  addPairs(triples: number, count: number): void;
  longestToken(): number;
  setLongestToken(bytes: number): void;
  openText(units: number): number;
  count(units: number, final: number, maxBytes: number): number;
  takeTotal(): number;
  setReachable(on: number): void;
  setWholePieces(on: number): void;
  clearPieces(): void;
  setHashKey(a: number, b: number, c: number, d: number): void;
  startHash(): void;
  hashWords(from: number, to: number): number;
  hashUnits(from: number, units: number, out: number): void;
  finishHash(from: number, to: number, bytes: number, out: number): void;
}
