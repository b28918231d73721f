import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipAsync = promisify(gzip);
/** Below, the headers of a packet weigh more than what is saved. */
const MIN_BYTES = 1000;

/** A body as it is sent; the work is done by a thread of the pool. */
export async function compressed(
  body: Buffer,
): Promise<{ body: Buffer; headers: Readonly<Record<string, string>> }> {
  if (body.length < MIN_BYTES) return { body, headers: {} };
  // Lines repeat themselves: the fastest level already saves most.
  const zipped = await gzipAsync(body, { level: 1 });
  return { body: zipped, headers: { 'content-encoding': 'gzip' } };
}
