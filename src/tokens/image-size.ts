import type { Base64Bytes } from './base64-bytes.ts';

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Covers every fixed header below. */
const HEADER_BYTES = 32;

/** Size of a PNG, JPEG, GIF, WebP or BMP image, from its header; `undefined` for anything else. */
export function readImageSize(image: Base64Bytes): ImageSize | undefined {
  const header = image.read(0, HEADER_BYTES);
  if (header.length < HEADER_BYTES) return undefined;
  const size = sizeOfHeader(header, image);
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
}

function sizeOfHeader(header: Buffer, image: Base64Bytes): ImageSize | undefined {
  const start = header.toString('latin1', 0, 16);
  if (start.startsWith('\x89PNG\r\n\x1A\n')) {
    return { width: header.readUInt32BE(16), height: header.readUInt32BE(20) };
  }
  if (start.startsWith('\xFF\xD8')) return jpegSize(image);
  if (start.startsWith('GIF8')) {
    return { width: header.readUInt16LE(6), height: header.readUInt16LE(8) };
  }
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return webpSize(header);
  if (start.startsWith('BM')) {
    return { width: header.readInt32LE(18), height: Math.abs(header.readInt32LE(22)) };
  }
  return undefined;
}

/** More segments than real cameras write. */
const MAX_SEGMENTS = 500;

/** Skips segments (thumbnails too) up to the frame header. */
function jpegSize(image: Base64Bytes): ImageSize | undefined {
  let at = 2;
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    const segment = image.read(at, 9);
    if (segment.length < 9 || segment[0] !== 0xff) return undefined;
    const marker = segment[1] ?? 0;
    if (isStartOfFrame(marker)) {
      return { width: segment.readUInt16BE(7), height: segment.readUInt16BE(5) };
    }
    // A fill byte before a marker.
    at += marker === 0xff ? 1 : 2 + segment.readUInt16BE(2);
  }
  return undefined;
}

/** 0xC4, 0xC8 and 0xCC are in the range but are not frame headers. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function webpSize(header: Buffer): ImageSize | undefined {
  switch (header.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: header.readUInt16LE(26) & 0x3fff, height: header.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const bits = header.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: header.readUIntLE(24, 3) + 1, height: header.readUIntLE(27, 3) + 1 };
    default:
      return undefined;
  }
}
