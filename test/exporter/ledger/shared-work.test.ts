import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedWork } from '../../../exporter/ledger/shared-work.ts';

describe('shared work', () => {
  /** Runs that end when they are told to. */
  function runs(): {
    readonly work: (signal: AbortSignal) => Promise<number>;
    readonly all: { readonly signal: AbortSignal; resolve(value: number): void }[];
  } {
    const all: { signal: AbortSignal; resolve(value: number): void }[] = [];
    const work = async (signal: AbortSignal): Promise<number> => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      all.push({ signal, resolve });
      return await promise;
    };
    return { work, all };
  }

  it('is done once for all who wait, and again for those who come later', async () => {
    const shared = new SharedWork<number>();
    const { work, all } = runs();
    const answers = [shared.run('a', work, undefined), shared.run('a', work, undefined)];
    const other = shared.run('b', work, undefined);
    assert.equal(all.length, 2);
    all[0]?.resolve(1);
    all[1]?.resolve(2);
    assert.deepEqual(await Promise.all([...answers, other]), [1, 1, 2]);
    const later = shared.run('a', work, undefined);
    all[2]?.resolve(3);
    assert.equal(await later, 3);
  });

  it('goes on while one of them waits, and is aborted when none does', async () => {
    const shared = new SharedWork<number>();
    const { work, all } = runs();
    const [first, second] = [new AbortController(), new AbortController()];
    const answers = [shared.run('a', work, first.signal), shared.run('a', work, second.signal)];
    first.abort(new Error('the first left'));
    await assert.rejects(answers[0] as Promise<number>, /the first left/);
    assert.equal(all[0]?.signal.aborted, false);
    second.abort(new Error('the second left'));
    await assert.rejects(answers[1] as Promise<number>, /the second left/);
    assert.equal(all[0]?.signal.aborted, true);
    // Whoever comes then does not get what was aborted.
    const next = shared.run('a', work, undefined);
    all[1]?.resolve(2);
    assert.equal(await next, 2);
  });

  it('keeps a result for a while, and no failure', async () => {
    const shared = new SharedWork<number>({ keepMs: 50, isKept: (value) => value !== 7 });
    let calls = 0;
    const fails = async (): Promise<number> => {
      await Promise.resolve();
      throw new Error(`failure ${++calls}`);
    };
    await assert.rejects(shared.run('a', fails, undefined), /failure 1/);
    await assert.rejects(shared.run('a', fails, undefined), /failure 2/);
    const counts = async (): Promise<number> => await Promise.resolve(++calls);
    assert.equal(await shared.run('a', counts, undefined), 3);
    assert.equal(await shared.run('a', counts, undefined), 3);
    await sleep(100);
    assert.equal(await shared.run('a', counts, undefined), 4);
    calls = 6;
    assert.equal(await shared.run('b', counts, undefined), 7);
    assert.equal(await shared.run('b', counts, undefined), 8);
  });
});
