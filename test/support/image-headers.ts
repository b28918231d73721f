/** Data URLs with image headers of any size. */
export type ImageFormat =
  | 'png'
  | 'jpeg'
  | 'gif'
  | 'webp'
  | 'webp-lossless'
  | 'webp-extended'
  | 'bmp';

export function imageDataUrl(format: ImageFormat, width: number, height: number): string {
  const bytes = Buffer.concat([HEADERS[format](width, height), Buffer.alloc(40)]);
  return `data:image/${format.split('-')[0]};base64,${bytes.toString('base64')}`;
}

const HEADERS: Readonly<Record<ImageFormat, (width: number, height: number) => Buffer>> = {
  png: (width, height) => {
    const header = Buffer.alloc(33);
    header.write('\x89PNG\r\n\x1A\n\0\0\0\rIHDR', 'latin1');
    header.writeUInt32BE(width, 16);
    header.writeUInt32BE(height, 20);
    return header;
  },
  /** Like camera files: the frame follows a thumbnail that contains a frame header too. */
  jpeg: (width, height) => {
    const thumbnail = Buffer.concat([Buffer.from('Exif\0\0'), frame(160, 120), Buffer.alloc(9000)]);
    return Buffer.concat([
      Buffer.from([0xff, 0xd8]),
      segment(0xe1, thumbnail),
      segment(0xc4, Buffer.alloc(40)),
      Buffer.from([0xff]),
      frame(width, height),
    ]);
  },
  gif: (width, height) => {
    const header = Buffer.from('GIF89a\0\0\0\0');
    header.writeUInt16LE(width, 6);
    header.writeUInt16LE(height, 8);
    return header;
  },
  webp: (width, height) => {
    const header = webp('VP8 ');
    header.writeUInt16LE(width, 26);
    header.writeUInt16LE(height, 28);
    return header;
  },
  'webp-lossless': (width, height) => {
    const header = webp('VP8L');
    header.writeUInt32LE(((width - 1) | ((height - 1) << 14)) >>> 0, 21);
    return header;
  },
  'webp-extended': (width, height) => {
    const header = webp('VP8X');
    header.writeUIntLE(width - 1, 24, 3);
    header.writeUIntLE(height - 1, 27, 3);
    return header;
  },
  bmp: (width, height) => {
    const header = Buffer.alloc(54);
    header.write('BM');
    header.writeInt32LE(width, 18);
    header.writeInt32LE(-height, 22);
    return header;
  },
};

function frame(width: number, height: number): Buffer {
  const body = Buffer.alloc(15);
  body.writeUInt16BE(height, 1);
  body.writeUInt16BE(width, 3);
  return segment(0xc2, body);
}

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

function webp(chunk: string): Buffer {
  const header = Buffer.alloc(40);
  header.write(`RIFF\0\0\0\0WEBP${chunk}`, 'latin1');
  return header;
}
