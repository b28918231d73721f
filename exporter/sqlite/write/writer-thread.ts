import { parentPort, workerData } from 'node:worker_threads';
import { LedgerFile } from './ledger-file.ts';
import type { WriteBatch, WriterAnswer, WriterData } from './writer-messages.ts';

const BUSY_TIMEOUT_MS = 5000;
const RETENTION_INTERVAL_MS = 600_000;
const RETENTION_PAUSE_MS = 50;

const { path, retentionDays } = workerData as WriterData;
const file = new LedgerFile({ path, busyTimeoutMs: BUSY_TIMEOUT_MS });
const answer = (message: WriterAnswer): void => parentPort?.postMessage(message);

file.onMovedAside = (aside, reason) => answer({ kind: 'movedAside', path: aside, reason });

function write({ records }: WriteBatch): void {
  try {
    answer({ kind: 'written', fresh: file.write(records) });
  } catch (error) {
    answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

function applyRetention(days: number): void {
  let more = false;
  try {
    more = file.removeOlderThan(days);
  } catch {
    // The file is busy or broken: writing reports that, and the next round removes the same rows.
  }
  setTimeout(applyRetention, more ? RETENTION_PAUSE_MS : RETENTION_INTERVAL_MS, days).unref();
}

parentPort?.on('message', (batch: WriteBatch | 'close') => {
  if (batch !== 'close') return write(batch);
  file.close();
  parentPort?.close();
});

if (retentionDays !== undefined) setTimeout(applyRetention, RETENTION_PAUSE_MS, retentionDays);
