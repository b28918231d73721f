/**
 * Byte-level vocabularies write each byte as a printable character: the byte itself if it is
 * printable, otherwise the next character from U+0100 on. Maps character codes to bytes.
 */
export const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = createAlphabet();

function createAlphabet(): Map<string, number> {
  const alphabet = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const code = isPrintable(byte) ? byte : next++;
    alphabet.set(String.fromCharCode(code), byte);
  }
  return alphabet;
}

function isPrintable(byte: number): boolean {
  return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
}
