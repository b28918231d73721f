import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipAsync = promisify(gzip);
/** Below, the headers of a packet weigh more than what is saved. */
const MIN_BYTES = 1000;

/** A body as it is sent, in pieces; the work is done by a thread of the pool. */
export async function compressed(
  body: readonly Buffer[],
): Promise<{ body: readonly Buffer[]; headers: Readonly<Record<string, string>> }> {
  const whole = Buffer.concat(body);
  if (whole.length < MIN_BYTES) return { body, headers: {} };
  // Lines repeat themselves: the fastest level already saves most.
  const zipped = await gzipAsync(whole, { level: 1 });
  return { body: [zipped], headers: { 'content-encoding': 'gzip' } };
}

/** Nothing is saved on the way to the same machine. */
export function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? '';
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}
