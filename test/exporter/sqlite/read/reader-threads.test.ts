import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type {
  ReadQuestion,
  ReadRequest,
} from '../../../../exporter/sqlite/read/reader-messages.ts';
import { ReaderThreads } from '../../../../exporter/sqlite/read/reader-threads.ts';
import { SharedAnswers } from '../../../../exporter/sqlite/read/shared-answers.ts';
import { SqliteUsageReader } from '../../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { LedgerFile } from '../../../../exporter/sqlite/write/ledger-file.ts';
import { mixedRecords } from '../../../support/usage-ledger.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const conversation = (id: string): ReadQuestion => ({ kind: 'conversation', id });
const result = (id: string) => ({ id, records: [], truncated: false });

/** A thread that answers when it is told to. */
class HeldThread extends EventEmitter {
  asked: string[] = [];
  terminated = false;

  postMessage(message: ReadRequest | 'close'): void {
    if (message === 'close') this.emit('exit', 0);
    else this.asked.push(message.kind === 'conversation' ? message.id : message.kind);
  }

  answer(): void {
    this.emit('message', { kind: 'result', result: result(this.asked.at(-1) ?? '') });
  }

  async terminate(): Promise<number> {
    this.terminated = true;
    this.emit('exit', 1);
    return await Promise.resolve(1);
  }

  ref(): void {}
  unref(): void {}
}

describe('threads that read a SQLite ledger', () => {
  let started: HeldThread[];
  let threads: ReaderThreads;

  beforeEach(() => {
    started = [];
    threads = new ReaderThreads({
      path: 'usage.db',
      threads: 3,
      startThread: () => {
        const thread = new HeldThread();
        started.push(thread);
        return thread as unknown as Worker;
      },
    });
  });

  const asked = (): readonly string[] => started.flatMap((thread) => thread.asked);

  it('are started when they are needed, and work at once', async () => {
    const first = threads.ask(conversation('a'), undefined);
    assert.equal(started.length, 1);
    started[0]?.answer();
    assert.deepEqual(await first.result, result('a'));
    for (const id of ['b', 'c', 'd', 'e']) threads.ask(conversation(id), undefined);
    assert.deepEqual(asked(), ['a', 'b', 'c', 'd']);
    started[1]?.answer();
    assert.deepEqual(started[1]?.asked, ['c', 'e']);
  });

  it('leave one for others when one person asks much', async () => {
    for (const id of ['a1', 'a2', 'a3', 'a4']) threads.ask(conversation(id), 'alice');
    assert.deepEqual(asked(), ['a1', 'a2']);
    const bob = threads.ask(conversation('b1'), 'bob');
    assert.deepEqual(asked(), ['a1', 'a2', 'b1']);
    started[2]?.answer();
    assert.deepEqual(await bob.result, result('b1'));
    started[0]?.answer();
    assert.deepEqual(asked().toSorted(), ['a1', 'a2', 'a3', 'b1']);
  });

  it('are asked again about what they keep sums of, unless that takes long', async () => {
    const about = (group: 'user' | 'model', day: number): ReadQuestion => ({
      kind: 'summary',
      query: { from: new Date(day), to: new Date(day + 1), groupBy: [group], limit: day },
    });
    const counts = (): readonly number[] => started.map((thread) => thread.asked.length);
    threads.ask(about('user', 1), undefined);
    threads.ask(about('model', 2), undefined);
    assert.deepEqual(counts(), [1, 1]);
    // It waits although a third thread could be started, and lets others by.
    threads.ask(about('user', 3), undefined);
    threads.ask(conversation('c'), undefined);
    assert.deepEqual(counts(), [1, 1, 1]);
    started[1]?.answer();
    assert.deepEqual(counts(), [1, 1, 1]);
    started[0]?.answer();
    assert.deepEqual(counts(), [2, 1, 1]);
    threads.ask(about('user', 4), undefined);
    assert.deepEqual(counts(), [2, 1, 1]);
    await sleep(600);
    assert.deepEqual(counts(), [2, 2, 1]);
  });

  it('find calls for a person whose sums take long', () => {
    for (const id of ['a1', 'a2', 'a3']) threads.ask(conversation(id), 'alice');
    threads.ask({ kind: 'records', query: {} }, 'alice');
    threads.ask({ kind: 'records', query: { limit: 5 } }, 'alice');
    threads.ask(conversation('b1'), 'bob');
    assert.deepEqual(asked(), ['a1', 'a2', 'records']);
    // One list of calls at a time: the next one that is free is for bob.
    started[2]?.answer();
    assert.deepEqual(started[2]?.asked, ['records', 'records']);
    started[2]?.answer();
    assert.deepEqual(started[2]?.asked, ['records', 'records', 'b1']);
  });

  it('do not let a person wait for what he has given up', () => {
    const given = ['a1', 'a2'].map((id) => threads.ask(conversation(id), 'alice'));
    for (const one of given) {
      one.result.catch(() => {});
      one.abandon();
    }
    threads.ask(conversation('a3'), 'alice');
    assert.deepEqual(asked(), ['a1', 'a2', 'a3']);
  });

  it('are ended when they do not notice that nobody waits', async () => {
    const given = threads.ask(conversation('a'), undefined);
    given.result.catch(() => {});
    given.abandon();
    const waiting = threads.ask(conversation('b'), undefined);
    const dropped = threads.ask(conversation('c'), undefined);
    dropped.abandon();
    await sleep(1100);
    assert.equal(started[0]?.terminated, true);
    started[1]?.answer();
    assert.deepEqual(await waiting.result, result('b'));
    assert.equal(started[1]?.terminated, false);
  });

  it('share one answer for a question that is asked twice, and work on while one still waits', async () => {
    const shared = new SharedAnswers('/nowhere/usage.db', (question, by) =>
      threads.ask(question, by),
    );
    const abort = new AbortController();
    const first = shared.answer(conversation('a'), 'alice', abort.signal);
    const second = shared.answer(conversation('a'), 'bob', undefined);
    assert.deepEqual(asked(), ['a']);
    abort.abort(new Error('enough'));
    await assert.rejects(first, /enough/);
    started[0]?.answer();
    assert.deepEqual(await second, result('a'));
    assert.deepEqual(await shared.answer(conversation('a'), 'carol', undefined), result('a'));
    assert.deepEqual(asked(), ['a']);
    await sleep(1050);
    void shared.answer(conversation('a'), 'carol', undefined);
    assert.deepEqual(asked(), ['a', 'a']);
  });
});

describe('SqliteUsageReader', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-threads-'));
    path = join(folder, 'usage.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('never answers from before a write', async () => {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    const reader = new SqliteUsageReader({ path });
    const query = { from: new Date('2026-10-01'), to: new Date('2026-11-01') };
    const start = Date.parse('2026-10-10T00:00:00Z');
    for (let calls = 1; calls <= 20; calls++) {
      file.write([usageRecord(start + calls)]);
      const answers = await Promise.all([reader.summary(query), reader.summary(query)]);
      assert.deepEqual(
        answers.map(({ total }) => total.calls),
        [calls, calls],
      );
    }
    await reader.close();
    file.close();
  });

  it('answers many at once, and goes on after one was aborted', async () => {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write(mixedRecords(3000, Date.parse('2026-10-01'), Date.parse('2026-10-20')));
    file.close();
    const reader = new SqliteUsageReader({ path, threads: 2 });
    const to = new Date('2026-11-01');
    const ask = async (hour: number, signal?: AbortSignal): Promise<number> => {
      const from = new Date(Date.parse('2026-10-01') + hour);
      const groupBy = ['user', 'model'] as const;
      const summary = await reader.summary({ from, to, groupBy, ...(signal && { signal }) });
      return summary.total.calls;
    };
    const abort = new AbortController();
    const aborted = ask(0, abort.signal);
    const others = Promise.all(Array.from({ length: 12 }, (_, hour) => ask(hour)));
    abort.abort(new Error('enough'));
    await assert.rejects(aborted, /enough/);
    const calls = await others;
    assert.ok(
      calls.every((count) => count >= 2990),
      String(calls),
    );
    await reader.close();
    await assert.rejects(ask(1), { code: 'DATABASE_UNAVAILABLE' });
    assert.throws(() => new SqliteUsageReader({ path, threads: 0 }), { code: 'INVALID_OPTION' });
  });
});
