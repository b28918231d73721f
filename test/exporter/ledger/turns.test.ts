import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Turns } from '../../../exporter/ledger/turns.ts';

describe('turns', () => {
  /** Questions that run until they are ended. */
  function questionsOf(turns: Turns): {
    readonly running: string[];
    readonly ask: (name: string, askedBy?: string, signal?: AbortSignal) => Promise<void>;
    readonly end: (name: string) => void;
  } {
    const running: string[] = [];
    const ends = new Map<string, () => void>();
    return {
      running,
      async ask(name, askedBy, signal) {
        await turns.run(askedBy, signal, async () => {
          running.push(name);
          await new Promise<void>((resolve) => ends.set(name, resolve));
          running.splice(running.indexOf(name), 1);
        });
      },
      end: (name) => ends.get(name)?.(),
    };
  }

  it('are taken in order, and none is lost when a question fails', async () => {
    const turns = new Turns(1);
    const { running, ask, end } = questionsOf(turns);
    const fails = turns.run(undefined, undefined, async () => {
      await nextTurn();
      throw new Error('failed');
    });
    const all = [ask('a'), ask('b')];
    await assert.rejects(fails, /failed/);
    await nextTurn();
    assert.deepEqual(running, ['a']);
    end('a');
    await nextTurn();
    assert.deepEqual(running, ['b']);
    end('b');
    await Promise.all(all);
  });

  it('are never all of one person', async () => {
    const { running, ask, end } = questionsOf(new Turns(3));
    const all = ['a1', 'a2', 'a3'].map(async (name) => await ask(name, 'alice'));
    all.push(ask('b1', 'bob'), ask('c1'));
    await nextTurn();
    assert.deepEqual(running, ['a1', 'a2', 'b1']);
    for (const name of ['b1', 'a1', 'a2']) end(name);
    await nextTurn();
    assert.deepEqual(running, ['c1', 'a3']);
    for (const name of ['a3', 'c1']) end(name);
    await Promise.all(all);
  });

  it('are not waited for after an abort', async () => {
    const { running, ask, end } = questionsOf(new Turns(1));
    const first = ask('a');
    const gone = new AbortController();
    const second = ask('b', 'bob', gone.signal);
    const third = ask('c');
    await nextTurn();
    gone.abort(new Error('he left'));
    await assert.rejects(second, /he left/);
    end('a');
    await nextTurn();
    assert.deepEqual(running, ['c']);
    end('c');
    await Promise.all([first, third]);
    await assert.rejects(ask('d', 'bob', gone.signal), /he left/);
  });
});
