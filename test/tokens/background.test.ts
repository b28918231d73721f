import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BackgroundCounter } from '../../src/tokens/background.ts';
import { countChat, countCompletion, countTokens } from '../../src/tokens/index.ts';
import { CountingWorker } from '../../src/tokens/worker/counting-worker.ts';

const SENTENCE = 'The quick brown fox jumps over the lazy dog, 42 times a day. ';

function chat(content: string): object {
  return { model: 'gpt-4o', messages: [{ role: 'user', content }] };
}

/** Counts nothing, and how often it was asked. */
class NoWorker {
  asked = 0;

  count(): Promise<number> {
    this.asked++;
    return Promise.reject(new Error('no worker here'));
  }
}

describe('tokens/background', function () {
  this.timeout(120_000);

  it('counts what the synchronous functions count', async () => {
    const counter = new BackgroundCounter();
    const request = chat(SENTENCE.repeat(3000));
    assert.deepEqual(await counter.countChat(request), countChat(request));
    assert.deepEqual(await counter.countChat(request, 'gpt-4'), countChat(request, 'gpt-4'));
    const output = { text: SENTENCE, toolCalls: [{ name: 'f', arguments: '{}' }] };
    assert.deepEqual(
      await counter.countCompletion(output, 'gpt-4o'),
      countCompletion(output, 'gpt-4o'),
    );
    const together = 3 + countTokens(SENTENCE, 'gpt-4o');
    assert.equal(await counter.countTexts(['a b c', SENTENCE], 'gpt-4o'), together);
  });

  it('counts a long text in the worker, and once', async () => {
    const worker = new CountingWorker();
    let asked = 0;
    const counter = new BackgroundCounter({
      worker: { count: (text, encoding) => (asked++, worker.count(text, encoding)) },
    });
    const text = `${SENTENCE.repeat(50_000)}of the worker`;
    const expected = countTokens(text, 'gpt-4o');
    for (let i = 0; i < 3; i++) {
      const counted = await counter.countChat(chat(text), 'gpt-4o');
      assert.equal(counted.parts.text?.tokens, expected);
    }
    assert.equal(asked, 1);
  });

  it('keeps parts and pairs of a text together on their way to the worker', async () => {
    const text = `${'x'.repeat((1 << 20) - 1)}🎄${'中文 '.repeat(400_000)}`;
    assert.equal(await new CountingWorker().count(text, 'o200k_base'), countTokens(text, 'gpt-4o'));
  });

  it('gives a long run without a break to the worker', async () => {
    const worker = new NoWorker();
    const counter = new BackgroundCounter({ worker });
    await counter.countTexts([SENTENCE.repeat(2000)], 'gpt-4o');
    assert.equal(worker.asked, 0);
    const run = 'a'.repeat(100_000);
    assert.equal(await counter.countTexts([run], 'gpt-4o'), countTokens(run, 'gpt-4o'));
    assert.ok(worker.asked > 0);
  });

  for (const [how, start] of [
    ['that cannot start', () => new Worker(new URL('file:///no/such/thread.js'))],
    ['that throws', () => new Worker('throw new Error("no")', { eval: true })],
    ['that ends', () => new Worker('process.exit(1)', { eval: true })],
    [
      'that never answers',
      () =>
        new Worker('require("node:worker_threads").parentPort.on("message", () => {})', {
          eval: true,
        }),
    ],
    [
      'whose start throws',
      () => {
        throw new Error('threads are forbidden');
      },
    ],
  ] as const) {
    it(`counts in place of a worker ${how}`, async () => {
      const worker = new CountingWorker({ start: start as () => Worker, answerMs: 200 });
      const counter = new BackgroundCounter({ worker });
      const text = `${SENTENCE.repeat(6000)}${how}`;
      const expected = countTokens(text, 'gpt-4o');
      for (let i = 0; i < 5; i++) {
        const counted = await counter.countTexts([`${text}${i}`], 'gpt-4o');
        assert.ok(Math.abs(counted - expected) <= 1);
      }
      await counter.idle();
    });
  }

  it('starts a worker again after it was ended for being idle', async () => {
    const worker = new CountingWorker({ idleMs: 20 });
    const expected = countTokens(SENTENCE, 'gpt-4o');
    assert.equal(await worker.count(SENTENCE, 'o200k_base'), expected);
    await sleep(100);
    assert.equal(await worker.count(SENTENCE, 'o200k_base'), expected);
  });

  it('a worker that dies half-way through a text is no unhandled rejection', async () => {
    const start = () => new Worker('setTimeout(() => process.exit(1), 5)', { eval: true });
    const worker = new CountingWorker({ start });
    await assert.rejects(worker.count('a b '.repeat(3 << 20), 'o200k_base'), /ended/);
  });

  it('idle waits for slices and worker', async () => {
    const counter = new BackgroundCounter();
    const ended: number[] = [];
    for (let i = 0; i < 4; i++) {
      const text = `${i}${SENTENCE.repeat(i % 2 === 0 ? 9000 : 90)}`;
      void counter.countTexts([text], 'gpt-4o').then((tokens) => ended.push(tokens));
    }
    await counter.idle();
    assert.equal(ended.length, 4);
    await counter.idle();
  });

  it('a job that throws rejects its own promise, and others go on', async () => {
    const counter = new BackgroundCounter();
    const failed = counter.run(() => {
      throw new Error('mine');
    });
    const later = counter.countTexts(['a b c'], 'gpt-4o');
    await assert.rejects(failed, /mine/);
    assert.equal(await later, 3);
  });

  it('leaves the event loop free while fifty long chats are counted', async () => {
    const counter = new BackgroundCounter({ worker: new NoWorker() });
    await counter.countTexts(['warm']);
    const turns: number[] = [];
    let isCounting = true;
    // Processor time of this thread: the delay of the event loop is that of the machine as well.
    let before = process.threadCpuUsage();
    const measure = (): void => {
      const { user, system } = process.threadCpuUsage(before);
      turns.push((user + system) / 1000);
      before = process.threadCpuUsage();
      if (isCounting) setImmediate(measure);
    };
    setImmediate(measure);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        counter.countChat(chat(`${i}${SENTENCE.repeat(4000)}`), 'gpt-4o'),
      ),
    );
    isCounting = false;
    measure();
    const longestFirst = turns.toSorted((a, b) => b - a);
    const total = turns.reduce((sum, each) => sum + each, 0);
    const measured = `${longestFirst.slice(0, 5).join(', ')} of ${total} ms in ${turns.length} turns`;
    // Slices of 4 ms; a collection of garbage may come into one of them.
    assert.ok((longestFirst[Math.floor(turns.length / 2)] ?? 0) < 20, measured);
    assert.ok((longestFirst[0] ?? 0) < total / 3, measured);
  });
});
