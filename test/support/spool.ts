import assert from 'node:assert/strict';
import { DiskSpool, type DiskSpoolOptions } from '../../exporter/spool/disk-spool.ts';
import { realFs } from '../../exporter/spool/spool-fs.ts';
import type { LineBatch, LineChunk } from '../../exporter/spool/line-queue.ts';

export function chunkOf(...lines: readonly string[]): LineChunk {
  const body = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  return { body, lines: lines.length, multiline: lines.some((line) => line.includes('\n')) };
}

/** Lines of a batch, as sent. */
export function textOf({ chunks }: LineBatch): string {
  return Buffer.concat(chunks.map(({ body }) => body)).toString();
}

export function diskSpool(folder: string, over: Partial<DiskSpoolOptions> = {}): DiskSpool {
  return new DiskSpool({
    folder,
    fs: realFs,
    maxBytes: 2 ** 30,
    maxMemoryBytes: 1_000_000,
    fsync: 'never',
    whenFull: 'drop-oldest',
    onDropped: () => {},
    destination: {},
    onAccepted: () => {},
    onHandedOver: () => {},
    onAdopted: () => {},
    onDiskState: () => {},
    onUpkeepError: (error) => assert.fail(error),
    onWaiting: () => {},
    ...over,
  });
}
