import { parentPort, workerData } from 'node:worker_threads';
import { resultCode, SQLITE_BUSY } from '../result-code.ts';
import { LedgerFile } from './ledger-file.ts';
import { adoptUnsaved } from './unsaved-records.ts';
import type { LeftOutCounts, WriteBatch, WriterAnswer, WriterData } from './writer-messages.ts';

const BUSY_TIMEOUT_MS = 5000;
const RETENTION_INTERVAL_MS = 600_000;
const RETENTION_PAUSE_MS = 50;
/** Records are written in between. */
const SUMMING_PAUSE_MS = 250;
const SUMMING_INTERVAL_MS = 300_000;
const ADOPTION_INTERVAL_MS = 60_000;

const { path, retentionDays, rollUpRetentionDays } = workerData as WriterData;
const file = new LedgerFile({ path, busyTimeoutMs: BUSY_TIMEOUT_MS });
const answer = (message: WriterAnswer): void => parentPort?.postMessage(message);

file.onRepaired = (repair) => answer({ kind: 'repaired', repair });
let leftOut: LeftOutCounts = {};
file.onLeftOut = (reason, records) => {
  leftOut = { ...leftOut, [reason]: (leftOut[reason] ?? 0) + records };
};

function write({ records }: WriteBatch): void {
  try {
    leftOut = {};
    const fresh = file.write(records);
    answer({ kind: 'written', fresh, leftOut });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    answer({ kind: 'failed', message, isLocked: resultCode(error) === SQLITE_BUSY });
  }
}

function applyRetention(days: number): void {
  let more = false;
  try {
    more = file.removeOlderThan(days, rollUpRetentionDays);
  } catch {
    // The file is busy or broken: writing reports that, and the next round removes the same rows.
  }
  setTimeout(applyRetention, more ? RETENTION_PAUSE_MS : RETENTION_INTERVAL_MS, days).unref();
}

function sumUp(): void {
  let more = false;
  try {
    more = file.sumUpDay();
  } catch {
    // As with retention.
  }
  setTimeout(sumUp, more ? SUMMING_PAUSE_MS : SUMMING_INTERVAL_MS).unref();
}

function adopt(): void {
  try {
    leftOut = {};
    const adopted = adoptUnsaved(path, (records) => file.write(records));
    if (adopted.fresh + adopted.unreadable > 0 || Object.keys(leftOut).length > 0) {
      answer({ kind: 'adopted', ...adopted, leftOut });
    }
  } catch {
    // The ledger cannot be written yet: the files are kept, and the next round finds them.
  }
  setTimeout(adopt, ADOPTION_INTERVAL_MS).unref();
}

parentPort?.on('message', (batch: WriteBatch | 'close') => {
  if (batch !== 'close') return write(batch);
  file.close();
  parentPort?.close();
});

setTimeout(adopt, 0);
setTimeout(sumUp, SUMMING_PAUSE_MS).unref();
if (retentionDays !== undefined) setTimeout(applyRetention, RETENTION_PAUSE_MS, retentionDays);
