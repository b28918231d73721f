import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Codings in the order of preference. */
export const CODINGS = ['br', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];

/** The script in 40 ms; the best quality takes 400 to 800 ms, which a first visitor may wait for, and saves 7 %. */
const BROTLI_QUALITY = 9;

const compress: Readonly<Record<Coding, (content: Buffer) => Promise<Buffer>>> = {
  br: (content) =>
    promisify(brotliCompress)(content, {
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      },
    }),
  gzip: (content) => promisify(gzip)(content, { level: 9 }),
};

/** Below this size a compressed file takes as many packets as a plain one. */
const MIN_BYTES = 1024;
const TEXT = /^(?:text\/|image\/svg\+xml|application\/json)/;

export function isCompressible(type: string, content: Buffer): boolean {
  return TEXT.test(type) && content.length >= MIN_BYTES;
}

/** By coding and hash: the applications of a process serve the same few files. */
const made = new Map<string, Promise<Buffer>>();

/** The content with this hash, compressed once, off the main thread, when it is first asked for. */
export function encoded(content: Buffer, hash: string, coding: Coding): Promise<Buffer> {
  const key = `${coding} ${hash}`;
  let result = made.get(key);
  if (!result) made.set(key, (result = compress[coding](content)));
  return result;
}
