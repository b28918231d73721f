import { Readable, Writable } from 'node:stream';
import type { CliIo } from '../../src/cli/io.ts';

export interface MemoryIo extends CliIo {
  out(): string;
  err(): string;
}

/** The world of a command in memory: what it wrote can be read. */
export function memoryIo(
  env: Readonly<Record<string, string>> = {},
  stdin: string | readonly Buffer[] = '',
): MemoryIo {
  const written = { out: '', err: '' };
  const sink = (name: 'out' | 'err'): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written[name] += chunk.toString();
        done();
      },
    });
  return {
    stdout: sink('out'),
    stderr: sink('err'),
    stdin: Readable.from(typeof stdin === 'string' ? [Buffer.from(stdin)] : stdin),
    env,
    out: () => written.out,
    err: () => written.err,
  };
}
