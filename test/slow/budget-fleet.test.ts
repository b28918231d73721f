import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Budget } from '../../src/budgets/budget.ts';
import { requireServer, startRedis, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const WORKER = fileURLToPath(new URL('../support/budget-fleet-worker.ts', import.meta.url));
const PROCESSES = 20;
const RATE = 500;
/** Of calls: 20 s at the full rate, so that one percent of it is 0.2 s. */
const LIMIT = 200_000;

interface Counts {
  readonly ok: number;
  readonly blocked: number;
  readonly recordedBlocked: number;
}

interface Worker {
  readonly process: ChildProcess;
  isUp: boolean;
  counts: Counts;
}

const sum = (workers: readonly Worker[], of: keyof Counts): number =>
  workers.reduce((total, { counts }) => total + counts[of], 0);

describe('twenty processes with one budget', function () {
  this.timeout(180_000);
  let redis: TestServer;
  let workers: Worker[] = [];

  beforeEach(async function () {
    requireServer(this, 'redis-server');
    redis = await startRedis();
  });
  afterEach(async () => {
    for (const { process } of workers) process.kill('SIGKILL');
    workers = [];
    await redis?.stop();
  });

  async function start(limit: number, more: Partial<Budget> = {}): Promise<void> {
    const budget: Budget = {
      id: 'b',
      window: 'month',
      limit: { calls: limit },
      mode: 'block',
      ...more,
    };
    workers = Array.from({ length: PROCESSES }, () => {
      const child = fork(WORKER, [redis.url, String(RATE), JSON.stringify(budget)], {
        execArgv: ['--conditions=otel-token-meter/source'],
      });
      const worker: Worker = {
        process: child,
        isUp: false,
        counts: { ok: 0, blocked: 0, recordedBlocked: 0 },
      };
      child.on('message', (message) => {
        if (message === 'up') worker.isUp = true;
        else worker.counts = message as Counts;
      });
      return worker;
    });
    await until(() => workers.every(({ isUp }) => isUp), 120_000);
    await sleep(2000);
    for (const { process } of workers) process.send('start');
  }

  /** Until calls are refused everywhere. Returns what was spent when the first one was. */
  async function untilRefused(): Promise<number> {
    let first: number | undefined;
    const living = workers.filter(
      ({ process }) => process.exitCode === null && process.signalCode === null,
    );
    await until(() => {
      if (first === undefined && sum(workers, 'blocked') > 0) first = sum(workers, 'ok');
      return living.every(({ counts }) => counts.blocked > 20);
    }, 120_000);
    for (const { process } of living) process.send('stop');
    await sleep(450);
    return first ?? Number.NaN;
  }

  function assertSpent(limit: number, lost = 0): void {
    const spent = sum(workers, 'ok');
    console.log(`      spent ${((spent / limit) * 100).toFixed(2)} % of ${limit}`);
    assert.ok(spent <= limit * 1.01, `spent ${spent}`);
    assert.ok(spent + lost >= limit * 0.99, `spent ${spent}`);
    assert.equal(sum(workers, 'recordedBlocked'), sum(workers, 'blocked'));
  }

  it('spend it within 1 %, refuse nothing below 99 %, and record every refusal', async () => {
    const limit = LIMIT;
    await start(limit);
    const first = await untilRefused();
    console.log(`      first refusal at ${((first / limit) * 100).toFixed(2)} %`);
    assertSpent(limit);
    assert.ok(first >= limit * 0.99, `refused at ${first}`);
  });

  it('the same when five of them are killed in the middle', async () => {
    const limit = LIMIT;
    await start(limit);
    await until(() => sum(workers, 'ok') > limit / 3, 60_000);
    const killed = workers.slice(0, 5).map(({ process }) => process);
    for (const process of killed) process.kill('SIGKILL');
    await until(() => killed.every(({ signalCode }) => signalCode !== null));
    await untilRefused();
    // What the killed ones had running counts as spent.
    assertSpent(limit, 5 * 50);
  });

  for (const whenStoreDown of ['allow', 'block'] as const) {
    it(`the same when Redis restarts empty in the middle, whenStoreDown ${whenStoreDown}`, async () => {
      const limit = LIMIT;
      await start(limit, { whenStoreDown });
      await until(() => sum(workers, 'ok') > limit / 3, 60_000);
      await redis.kill('SIGKILL');
      await sleep(500);
      await redis.restart();
      if (whenStoreDown === 'block') {
        // Refused while it was away: begin the count of refusals again.
        await sleep(3000);
        await until(() => sum(workers, 'ok') >= limit * 0.985, 60_000);
        await sleep(2000);
        for (const { process } of workers) process.send('stop');
        await sleep(450);
      } else await untilRefused();
      assertSpent(limit);
    });
  }
});
