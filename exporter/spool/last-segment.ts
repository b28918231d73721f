import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolderSync } from '../../src/host/make-folder.ts';
import { frameHeader } from './frame.ts';
import { type LineChunk, sumOfLines } from './line-queue.ts';

/** At the end of the process: a segment of its own, written synchronously, for the next owner. */
export function saveSegmentSync(folder: string, chunks: readonly LineChunk[]): void {
  const id = randomBytes(6).toString('hex');
  const name = `exit-${process.pid}-${id}-${sumOfLines(chunks)}.lines`;
  makeFolderSync(folder, 0o700);
  const bytes = Buffer.concat(chunks.flatMap((chunk) => [frameHeader(chunk), chunk.body]));
  writeFileSync(join(folder, name), bytes, { mode: 0o600 });
}
