/** The part of the WebAssembly API used here. Only TypeScript's DOM library declares it. */
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: object };
}

export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

export interface WasmMemory {
  /** Replaced after each growth. */
  readonly buffer: ArrayBuffer;
}

/** `undefined` on hosts that forbid it (`--jitless`, some policies). */
export const wasm: WasmApi | undefined = (globalThis as { WebAssembly?: WasmApi }).WebAssembly;
