import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { onEndOfNpm } from './npm-parent.ts';

export interface ShutdownOptions {
  readonly server: Server;
  /** Aborted at once: nothing new is taken on, and streams of events end. */
  readonly stopping: AbortController;
  /** Aborted after a while: answers that are still being streamed end too. */
  readonly endAnswers: AbortController;
  /** Makes durable what has ended by now. Never rejects. */
  readonly flush: () => Promise<void>;
  /** Ends the calls that still run and makes them durable too. Never rejects. */
  readonly shutdown: () => Promise<void>;
  /** In this order. */
  readonly parts: readonly (() => Promise<unknown> | undefined)[];
}

/** Answers that run may take so long to finish. */
const ANSWERS_MS = 2000;
/** For the last event of a stream to reach its client. */
const LAST_EVENTS_MS = 200;

/**
 * Ends in an order that loses nothing: what is recorded is flushed first, then idle sockets go, then
 * answers get time to finish, then every socket, and the parts last.
 */
export async function shutDown(options: ShutdownOptions): Promise<void> {
  const { server, stopping, endAnswers, flush, shutdown, parts } = options;
  stopping.abort();
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await Promise.race([flush(), sleep(ANSWERS_MS)]);
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await Promise.race([closed, sleep(ANSWERS_MS)]);
  clearInterval(idle);
  endAnswers.abort();
  await Promise.race([closed, sleep(LAST_EVENTS_MS)]);
  // Incomplete requests get no response.
  server.closeAllConnections();
  await closed;
  await shutdown();
  for (const part of parts) await part();
}

export interface EndOptions {
  readonly close: () => Promise<void>;
  /** Longest wait for it; an orchestrator kills after ten seconds or so. */
  readonly deadlineMs: number;
  readonly log: (line: string) => void;
}

/**
 * Closes on SIGINT and SIGTERM, and when the npm that started this process ends; a second signal ends at
 * once.
 */
export function endOnSignal({ close, deadlineMs, log }: EndOptions): void {
  let isClosing = false;
  const end = (why: string): void => {
    if (isClosing) process.exit(1);
    isClosing = true;
    log(`${why}: closing`);
    setTimeout(() => {
      log(`not closed within ${deadlineMs / 1000} s`);
      process.exit(1);
    }, deadlineMs).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        log(`closing failed: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(signal));
  onEndOfNpm(() => end('npm has ended'));
}
