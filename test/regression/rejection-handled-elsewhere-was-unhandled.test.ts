import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  flush,
  meterChat,
  TokenMeterInstrumentation,
  withAgent,
  withTool,
  withWorkflow,
  type UsageRecord,
} from '../../src/index.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { unhandledRejections } from '../support/unhandled.ts';

class OutOfReach extends Error {}

/** What was handed out for a promise was another one: to handle the first did not suffice. */
describe('a promise that the application handles elsewhere', () => {
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  const records: UsageRecord[] = [];
  before(() => {
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
  });

  type Run = (fn: () => Promise<unknown>) => Promise<unknown>;
  const wrappers: readonly (readonly [name: string, run: Run])[] = [
    ['withTool', (fn) => withTool({ name: 'search' }, fn)],
    ['withAgent', (fn) => withAgent({ name: 'planner' }, fn)],
    ['withWorkflow', (fn) => withWorkflow({ name: 'nightly' }, fn)],
    ['meterChat', (fn) => meterChat(fn, { model: () => 'local' })()],
  ];

  for (const [name, run] of wrappers) {
    it(`adds no unhandled rejection: ${name}`, async () => {
      // One that is seen for certain ends the wait.
      const seen = await unhandledRejections(() => {
        for (const handleFirst of [true, false]) {
          const work = nextTurn().then(() => {
            throw new OutOfReach();
          });
          if (handleFirst) work.catch(() => undefined);
          const handed = run(() => work);
          assert.equal(handed, work, 'the promise itself');
          if (!handleFirst) work.catch(() => undefined);
        }
        setTimeout(() => void Promise.reject(new RangeError()), 20);
      });
      assert.deepEqual(seen, ['RangeError']);
    });

    it(`hides none that nobody handles, of an async function: ${name}`, async () => {
      const seen = await unhandledRejections(() => {
        void run(async () => {
          await nextTurn();
          throw new OutOfReach();
        });
      });
      assert.deepEqual(seen, ['OutOfReach']);
    });
  }

  it('still ends the step and the call with the error', async () => {
    await flush();
    assert.deepEqual(
      records.map(({ outcome, errorType }) => [outcome, errorType]),
      Array(3).fill(['error', 'OutOfReach']),
    );
    const failed = telemetry
      .spans()
      .filter(({ attributes }) => attributes['error.type'] === 'OutOfReach')
      .map(({ name }) => name);
    assert.equal(failed.filter((name) => name === 'execute_tool search').length, 3);
  });
});
