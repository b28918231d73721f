import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type EraseResult, TokenMeterError } from 'otel-token-meter/exporter';
import type { ErasureOrder } from './erasure-thread.ts';

/**
 * Deletes the calls of a user in a thread of its own: a ledger in a file is written again, which would hold
 * every request meanwhile. Rejects with `DATABASE_UNAVAILABLE`, or as the store does.
 */
export async function erase(order: ErasureOrder): Promise<EraseResult> {
  const worker = new Worker(new URL('./erasure-thread.ts', import.meta.url), { workerData: order });
  try {
    const [result] = (await once(worker, 'message')) as [EraseResult];
    return result;
  } catch (error) {
    const { message } = error as Error;
    throw new TokenMeterError('DATABASE_UNAVAILABLE', message, { cause: error });
  } finally {
    await worker.terminate();
  }
}
