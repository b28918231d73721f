const MEMORY_SECTION = 5;
/** Magic number and version. */
const HEADER_BYTES = 8;

/** A WebAssembly binary whose one memory cannot grow beyond `pages` of 64 KiB. */
export function withMaximumMemory(binary: Uint8Array, pages: number): Uint8Array {
  let at = HEADER_BYTES;
  while (at < binary.length) {
    const [size, start] = unsigned(binary, at + 1);
    if (binary[at] === MEMORY_SECTION) {
      // One memory, its flags, and the pages that it begins with.
      const [initial] = unsigned(binary, start + 2);
      const payload = [1, 1, ...encoded(initial), ...encoded(pages)];
      return Uint8Array.from([
        ...binary.subarray(0, at),
        MEMORY_SECTION,
        ...encoded(payload.length),
        ...payload,
        ...binary.subarray(start + size),
      ]);
    }
    at = start + size;
  }
  throw new Error('the binary has no memory');
}

/** A LEB128 number and the place after it. */
function unsigned(binary: Uint8Array, from: number): readonly [value: number, next: number] {
  let value = 0;
  for (let at = from, shift = 0; ; at++, shift += 7) {
    const byte = binary[at] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at + 1];
  }
}

function encoded(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...encoded(value >> 7)];
}
