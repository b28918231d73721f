import type * as nodeCrypto from 'node:crypto';
import { readEngine } from './engine/artefacts.ts';
import type { EngineExports } from './engine/wasm-exports.ts';
import { wasm } from './engine/webassembly.ts';

/** 128 bits: what a text is known by once it is gone. */
export type TextHash = Uint32Array;

/** The hash of `text`, four words that are good until the next call. */
export type TextHasher = (text: string) => TextHash;

export const HASH_WORDS = 4;

const encoder = new TextEncoder();
const WINDOW = 1 << 16;

/** The fastest hash of this host that nobody can aim at: keyed SipHash, else SHA-256. */
export function createTextHasher(): TextHasher {
  try {
    return createSipHasher(crypto().randomFillSync(new Uint32Array(HASH_WORDS)));
  } catch {
    return sha256Hasher;
  }
}

/**
 * SipHash-1-3-128 of the UTF-8, in a small instance of the engine of its own.
 *
 * @throws when the host has no WebAssembly, or a bundle left the engine behind.
 */
export function createSipHasher(key: Uint32Array): TextHasher {
  if (wasm === undefined) throw new Error('This host has no WebAssembly');
  const engine = new wasm.Instance(new wasm.Module(readEngine()), {}).exports as EngineExports;
  engine.setHashKey(key[1] ?? 0, key[0] ?? 0, key[3] ?? 0, key[2] ?? 0);
  const input = engine.openInput(WINDOW + 16);
  const window = new Uint8Array(engine.memory.buffer, input, WINDOW);
  const output = new Uint32Array(engine.memory.buffer, input + WINDOW, HASH_WORDS);
  return (text) => {
    const { read, written } = encoder.encodeInto(text, window);
    if (read === text.length) engine.hashWhole(input, input + written, input + WINDOW);
    else hashInWindows(text);
    return output;
  };

  function hashInWindows(text: string): void {
    engine.startHash();
    let rest = text;
    let bytes = 0;
    let kept = 0;
    for (;;) {
      const { read, written } = encoder.encodeInto(rest, window.subarray(kept));
      bytes += written;
      const end = input + kept + written;
      const from = engine.hashWords(input, end);
      if (read === rest.length) {
        engine.finishHash(from, end, bytes, input + WINDOW);
        return;
      }
      window.copyWithin(0, from - input, kept + written);
      kept = end - from;
      rest = rest.slice(read);
    }
  }
}

function sha256Hasher(text: string): TextHash {
  const digest = crypto().hash('sha256', text, 'buffer');
  return Uint32Array.from({ length: HASH_WORDS }, (_, word) => digest.readUInt32LE(4 * word));
}

/** Asked for late: OpenSSL takes megabytes that a plain count has no use for. */
function crypto(): typeof nodeCrypto {
  return process.getBuiltinModule('node:crypto');
}
