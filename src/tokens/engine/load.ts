import type { TextCounter } from '../text-counter.ts';
import { readClasses, readEngine, readVocabulary } from './artefacts.ts';
import { PlainEngine } from './plain/plain-engine.ts';
import { SPLITTERS } from './splitters.ts';
import type { Splitter, VocabularyTable } from './tables.ts';
import { WasmEngine } from './wasm-engine.ts';
import { wasm, type WasmModule } from './webassembly.ts';

let classes: Uint8Array | undefined;
let compiled: WasmModule | undefined;

/**
 * Loads the engine with a built-in vocabulary; `undefined` for unknown names.
 *
 * @throws when the data files are missing.
 */
export function loadBuiltIn(name: string): TextCounter | undefined {
  const splitter = SPLITTERS[name];
  return splitter && loadEngine(splitter, readVocabulary(name));
}

/**
 * Creates an engine for any vocabulary, in plain TypeScript where WebAssembly with SIMD is not
 * available.
 */
export function loadEngine(splitter: Splitter, table: VocabularyTable): TextCounter {
  classes ??= readClasses();
  compiled ??= compile(readEngine());
  if (compiled === undefined) return new PlainEngine(classes, splitter, table);
  return new WasmEngine({ module: compiled, classes, splitter }, table);
}

function compile(engine: Uint8Array): WasmModule | undefined {
  if (wasm === undefined) return undefined;
  try {
    return new wasm.Module(engine);
  } catch {
    // The processor has no SIMD.
    return undefined;
  }
}
