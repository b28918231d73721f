import { parentPort, workerData } from 'node:worker_threads';
import type { UsageSummary } from '../../ledger/usage-query.ts';
import { LedgerView } from './ledger-view.ts';
import type { ReadAnswer, ReaderData, ReadRequest, ReadResult } from './reader-messages.ts';

/** Taking over this many rows holds the caller's event loop for a few milliseconds. */
const ROWS_A_MESSAGE = 500;

let stop: Int32Array | undefined;
const { path } = workerData as ReaderData;
const view = new LedgerView(path, () => {
  if (stop !== undefined && Atomics.load(stop, 0) !== 0) throw new Error('nobody waits any more');
});
const answer = (message: ReadAnswer): void => parentPort?.postMessage(message);

async function read(request: ReadRequest): Promise<ReadResult> {
  switch (request.kind) {
    case 'summary':
      return await view.summary(request.query);
    case 'records':
      return view.records(request.query);
    case 'conversation':
      return await view.conversation(request.id);
  }
}

function inPieces(summary: UsageSummary): UsageSummary {
  let rows = summary.rows;
  for (; rows.length > ROWS_A_MESSAGE; rows = rows.slice(ROWS_A_MESSAGE)) {
    answer({ kind: 'rows', rows: rows.slice(0, ROWS_A_MESSAGE) });
  }
  return { ...summary, rows };
}

async function serve(request: ReadRequest): Promise<void> {
  stop = request.stop;
  try {
    const result = await read(request);
    answer({ kind: 'result', result: 'rows' in result ? inPieces(result) : result });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    answer({ kind: 'failed', message });
  }
}

let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (request: ReadRequest | 'close') => {
  last = last.then(async () => {
    if (request !== 'close') return await serve(request);
    view.close();
    parentPort?.close();
  });
});
