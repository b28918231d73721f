import type { TextCounter } from '../text-counter.ts';
import { readClasses, readEngine, readVocabulary } from './artefacts.ts';
import { SPLITTERS } from './splitters.ts';
import type { Splitter, VocabularyTable } from './tables.ts';
import { WasmEngine } from './wasm-engine.ts';
import { wasm, type WasmModule } from './webassembly.ts';

let shared: { readonly module: WasmModule; readonly classes: Uint8Array } | undefined;

/**
 * The engine of a built-in vocabulary, or undefined when there is none of that name.
 *
 * @throws when the data files are missing or WebAssembly is.
 */
export function loadBuiltIn(name: string): TextCounter | undefined {
  const splitter = SPLITTERS[name];
  return splitter && loadEngine(splitter, readVocabulary(name));
}

/** The engine over any vocabulary. */
export function loadEngine(splitter: Splitter, table: VocabularyTable): TextCounter {
  if (wasm === undefined) throw new Error('This host has no WebAssembly');
  shared ??= { module: new wasm.Module(readEngine()), classes: readClasses() };
  return new WasmEngine({ ...shared, splitter }, table);
}
