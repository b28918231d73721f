import type * as nodeCrypto from 'node:crypto';
import { readEngine } from './engine/artefacts.ts';
import type { EngineExports } from './engine/wasm-exports.ts';
import { wasm } from './engine/webassembly.ts';

/** 128-bit hash that identifies a text without keeping it. */
export type TextHash = Uint32Array;

/** Hash of `text` as four words, valid until the next call. */
export type TextHasher = (text: string) => TextHash;

export const HASH_WORDS = 4;

/** UTF-16 units per chunk. */
const WINDOW = 1 << 15;
/** Domain separator after UTF-16, so that no Latin-1 text has the same bytes. */
const WIDE = 1;

/** The fastest collision-resistant hash available: keyed SipHash, otherwise SHA-256. */
export function createTextHasher(): TextHasher {
  try {
    return createSipHasher(crypto().randomFillSync(new Uint32Array(HASH_WORDS)));
  } catch {
    return sha256Hasher;
  }
}

/**
 * SipHash-1-3-128 of the Latin-1 bytes and a 0, or of the UTF-16 bytes and a 1 for other and for
 * long texts. Runs in a small separate instance of the engine.
 *
 * @throws when the host has no WebAssembly, or a bundle lacks the engine file.
 */
export function createSipHasher(key: Uint32Array): TextHasher {
  if (wasm === undefined) throw new Error('This host has no WebAssembly');
  const engine = new wasm.Instance(new wasm.Module(readEngine()), {}).exports as EngineExports;
  engine.setHashKey(key[1] ?? 0, key[0] ?? 0, key[3] ?? 0, key[2] ?? 0);
  const output = engine.openInput(16 + 4 * WINDOW + 64);
  const input = output + 16;
  const hash = new Uint32Array(engine.memory.buffer, output, HASH_WORDS);
  const window = Buffer.from(engine.memory.buffer, input, 2 * WINDOW + 1);
  return (text) => {
    if (text.length <= WINDOW) {
      window.write(text, 0, 'utf16le');
      engine.hashUnits(input, text.length, output);
    } else {
      hashInWindows(text);
    }
    return hash;
  };

  function hashInWindows(text: string): void {
    engine.startHash();
    let at = 0;
    for (; at + WINDOW < text.length; at += WINDOW) {
      window.write(text.slice(at, at + WINDOW), 0, 'utf16le');
      engine.hashWords(input, input + 2 * WINDOW);
    }
    const written = window.write(text.slice(at), 0, 'utf16le');
    window[written] = WIDE;
    const end = input + written + 1;
    engine.finishHash(engine.hashWords(input, end), end, 2 * text.length + 1, output);
  }
}

function sha256Hasher(text: string): TextHash {
  const digest = crypto().hash('sha256', text, 'buffer');
  return Uint32Array.from({ length: HASH_WORDS }, (_, word) => digest.readUInt32LE(4 * word));
}

/** Loaded lazily: OpenSSL takes megabytes that plain counting does not need. */
function crypto(): typeof nodeCrypto {
  return process.getBuiltinModule('node:crypto');
}
