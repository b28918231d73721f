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
 * The engine of a built-in vocabulary, or undefined when there is none of that name.
 *
 * @throws when the data files are missing.
 */
export function loadBuiltIn(name: string): TextCounter | undefined {
  const splitter = SPLITTERS[name];
  return splitter && loadEngine(splitter, readVocabulary(name));
}

/** The engine over any vocabulary; in plain TypeScript where there is no WebAssembly with SIMD. */
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
    // A processor without vector instructions.
    return undefined;
  }
}
