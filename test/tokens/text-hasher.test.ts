import assert from 'node:assert/strict';
import { createSipHasher, createTextHasher } from '../../src/tokens/text-hasher.ts';

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

/** SipHash-c-d with 128 bits of output, word by word as the paper has it. */
function sipHash128(input: Uint8Array, c: number, d: number): string {
  const mask = (1n << 64n) - 1n;
  const rotate = (x: bigint, n: bigint) => ((x << n) | (x >> (64n - n))) & mask;
  const word = (bytes: Uint8Array, at: number) =>
    Buffer.from(bytes.buffer, bytes.byteOffset).readBigUInt64LE(at);
  const [k0, k1] = [word(KEY, 0), word(KEY, 8)];
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn ^ 0xeen;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const round = () => {
    v0 = (v0 + v1) & mask;
    v1 = rotate(v1, 13n) ^ v0;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v3) & mask;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = (v0 + v3) & mask;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = (v2 + v1) & mask;
    v1 = rotate(v1, 17n) ^ v2;
    v2 = rotate(v2, 32n);
  };
  const rounds = (n: number) => {
    for (let i = 0; i < n; i++) round();
  };
  const padded = new Uint8Array((Math.floor(input.length / 8) + 1) * 8);
  padded.set(input);
  padded[padded.length - 1] = input.length & 255;
  for (let at = 0; at < padded.length; at += 8) {
    const m = word(padded, at);
    v3 ^= m;
    rounds(c);
    v0 ^= m;
  }
  const out = Buffer.alloc(16);
  v2 ^= 0xeen;
  rounds(d);
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 0);
  v1 ^= 0xddn;
  rounds(d);
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 8);
  return out.toString('hex');
}

function hexOf(hash: Uint32Array): string {
  return Buffer.from(Uint32Array.from(hash).buffer).toString('hex');
}

function utf16Of(text: string): Uint8Array {
  return Buffer.concat([Buffer.from(text, 'utf16le'), Uint8Array.of(1)]);
}

describe('tokens/text-hasher', () => {
  it('the reference here gives the published vector of SipHash-2-4-128', () => {
    assert.equal(sipHash128(new Uint8Array(0), 2, 4), 'a3817f04ba25a8e66df67214c7550293');
  });

  it('is SipHash-1-3-128 of the Latin-1 and a 0, else of the UTF-16 and a 1', () => {
    const hasher = createSipHasher(new Uint32Array(KEY.buffer));
    const narrow = Array.from({ length: 60 }, (_, n) => 'aé\0ÿz'.repeat(12).slice(0, n));
    for (const text of [...narrow, 'Ein Text. '.repeat(3276)]) {
      const bytes = Buffer.concat([Buffer.from(text, 'latin1'), Uint8Array.of(0)]);
      assert.equal(hexOf(hasher(text)), sipHash128(bytes, 1, 3));
    }
    const wide = Array.from({ length: 60 }, (_, n) => 'aé中🎄'.repeat(12).slice(2, 3 + n));
    for (const text of [...wide, `${'a'.repeat(32_767)}中`, 'a\uD83C']) {
      assert.equal(hexOf(hasher(text)), sipHash128(utf16Of(text), 1, 3));
    }
  });

  it('takes a text longer than its window as UTF-16', () => {
    const hasher = createSipHasher(new Uint32Array(KEY.buffer));
    const long = 'Ein längerer Text, 中文 🎄. '.repeat(9000);
    const window = 'x'.repeat(32_768);
    for (const text of [long, `x${long}`, `${window}y`, `${window}${window}`, `${long}\uD83C`]) {
      assert.equal(hexOf(hasher(text)), sipHash128(utf16Of(text), 1, 3));
    }
  });

  it('tells Latin-1 from UTF-16 of the same bytes', () => {
    const hasher = createSipHasher(new Uint32Array(KEY.buffer));
    assert.notEqual(hexOf(hasher('AB')), hexOf(hasher('\u4241')));
    assert.notEqual(hexOf(hasher('A\0')), hexOf(hasher('A')));
  });

  it('has a key of its own in each process', () => {
    assert.notDeepEqual(createTextHasher()('same text'), createTextHasher()('same text'));
  });
});
