import assert from 'node:assert/strict';
import { meterChat, shutdown } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';

type Part = { readonly type: string; readonly [name: string]: unknown };

/** As the AI SDK's: whatever is asked of it begins to read. */
class StreamResult {
  asked: string[] = [];
  readonly #parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  get fullStream(): ReadableStream<Part> {
    this.asked.push('fullStream');
    return ReadableStream.from(this.#parts);
  }

  get textStream(): ReadableStream<string> {
    this.asked.push('textStream');
    return ReadableStream.from(
      this.#parts.map(({ text }) => (typeof text === 'string' ? text : '')),
    );
  }

  get usage(): PromiseLike<never> {
    this.asked.push('usage');
    return Promise.reject(new Error('nobody handles this'));
  }
}

const TEXT: Part = { type: 'text-delta', text: 'Twice a day.' };
const FINISH: Part = { type: 'finish', totalUsage: { inputTokens: 18, outputTokens: 9 } };

describe('meterChat around a result that holds streams', () => {
  let calls: RecordedCalls;
  before(() => void (calls = startRecording()));
  beforeEach(() => calls.reset());
  after(() => calls.close());

  const chat = meterChat(
    (_model: { model: string }, parts: readonly Part[]) => new StreamResult(parts),
  );
  const begun = (...parts: readonly Part[]): StreamResult => chat({ model: 'gpt-4o' }, parts);

  it('asks for nothing itself, and ends as never read', async () => {
    const result = begun(TEXT, FINISH);
    assert.ok(result instanceof StreamResult);
    await shutdown();
    assert.equal((await calls.only()).outcome, 'aborted');
    assert.deepEqual(result.asked, []);
  });

  it('takes the usage of the parts', async () => {
    for await (const part of begun(TEXT, FINISH).fullStream) void part;
    assert.partialDeepStrictEqual(await calls.only(), {
      outcome: 'ok',
      inputTokens: 18,
      outputTokens: 9,
      tokenSource: 'provider',
    });
  });

  it('counts the text where nothing else is read, and the first reading alone', async () => {
    const result = begun(TEXT, FINISH);
    for await (const text of result.textStream)
      assert.equal(text === '' || text === TEXT['text'], true);
    for await (const part of result.fullStream) void part;
    assert.partialDeepStrictEqual(await calls.only(), { outcome: 'ok', outputTokens: 5 });
    assert.deepEqual(result.asked, ['textStream', 'fullStream']);
  });

  it('tells failed and stopped streams apart', async () => {
    for await (const part of begun(TEXT, { type: 'error', error: new TypeError('lost') })
      .fullStream) {
      void part;
    }
    assert.partialDeepStrictEqual(await calls.only(), { outcome: 'error', errorType: 'TypeError' });
    calls.reset();
    for await (const part of begun(TEXT, { type: 'abort' }).fullStream) void part;
    assert.partialDeepStrictEqual(await calls.only(), { outcome: 'aborted', outputTokens: 5 });
    calls.reset();
    for await (const part of begun(TEXT, TEXT).fullStream) if (part === TEXT) break;
    assert.equal((await calls.only()).outcome, 'aborted');
  });
});
