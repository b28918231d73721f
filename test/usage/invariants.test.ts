import assert from 'node:assert/strict';
import { diag, DiagLogLevel, INVALID_SPAN_CONTEXT, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import type { EndedCall } from '../../src/domain/ended-call.ts';
import { buildRecord } from '../../src/usage/build-record.ts';
import { Delivery } from '../../src/usage/delivery.ts';
import { checkUsage } from '../../src/usage/invariants.ts';
import type { TokenUsage, UsageRecord } from '../../src/domain/usage-record.ts';

const CASES: readonly (readonly [string, object, TokenUsage, readonly string[]])[] = [
  [
    'a sound one as it is',
    { inputTokens: 9, cacheReadTokens: 9, outputTokens: 0 },
    { inputTokens: 9, cacheReadTokens: 9, outputTokens: 0 },
    [],
  ],
  ['absence as absence', { inputTokens: 9, outputTokens: undefined }, { inputTokens: 9 }, []],
  [
    'cache to the input',
    { inputTokens: 5, cacheReadTokens: 9 },
    { inputTokens: 5, cacheReadTokens: 5 },
    ['cacheReadTokens exceeds inputTokens'],
  ],
  [
    'cache written to what reading leaves',
    { inputTokens: 10, cacheReadTokens: 6, cacheWriteTokens: 6 },
    { inputTokens: 10, cacheReadTokens: 6, cacheWriteTokens: 4 },
    ['cacheReadTokens + cacheWriteTokens exceeds inputTokens'],
  ],
  [
    'reasoning to the output',
    { outputTokens: 3, reasoningTokens: 4 },
    { outputTokens: 3, reasoningTokens: 3 },
    ['reasoningTokens exceeds outputTokens'],
  ],
  [
    'what is no count away',
    { inputTokens: -1, outputTokens: 2 ** 53, cacheReadTokens: 0.5 },
    {},
    ['inputTokens is not a count', 'outputTokens is not a count', 'cacheReadTokens is not a count'],
  ],
];

describe('checkUsage', () => {
  for (const [what, given, usage, violations] of CASES) {
    it(`brings ${what}`, () => {
      assert.deepEqual(checkUsage(given as TokenUsage), { usage, violations });
    });
  }

  it('leaves usage that holds, whatever it was given', () => {
    const count = fc.option(fc.oneof(fc.integer(), fc.double(), fc.constant(null)), {
      nil: undefined,
    });
    const given = fc.record({
      inputTokens: count,
      outputTokens: count,
      cacheReadTokens: count,
      cacheWriteTokens: count,
      reasoningTokens: count,
    });
    fc.assert(
      fc.property(given, (any) => {
        const { usage } = checkUsage(any as TokenUsage);
        for (const value of Object.values(usage) as number[]) {
          assert.ok(Number.isSafeInteger(value) && value >= 0);
        }
        const { inputTokens = Infinity, outputTokens = Infinity } = usage;
        assert.ok((usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0) <= inputTokens);
        assert.ok((usage.reasoningTokens ?? 0) <= outputTokens);
        // Sound usage is never touched a second time.
        assert.deepEqual(checkUsage(usage), { usage, violations: [] });
      }),
    );
  });
});

describe('a record of inconsistent usage', () => {
  const warnings: string[] = [];
  before(() => {
    const quiet = (): void => undefined;
    diag.setLogger(
      {
        verbose: quiet,
        debug: quiet,
        info: quiet,
        error: quiet,
        warn: (message) => warnings.push(message),
      },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
  });
  after(() => diag.disable());

  function record(provider: string, attributes?: Readonly<Record<string, unknown>>): UsageRecord {
    const ended: EndedCall = {
      provider,
      shape: { operation: 'chat' } as EndedCall['shape'],
      facts: { model: 'm' },
      request: undefined,
      serverAddress: undefined,
      serverPort: undefined,
      usageContext: { attributes: attributes as UsageRecord['attributes'] },
      span: trace.wrapSpanContext(INVALID_SPAN_CONTEXT),
      spanIsForeign: false,
      startedAtMs: 1_790_000_000_000,
      durationMs: 5,
      timeToFirstChunkMs: undefined,
      chunkGapsMs: [],
      outcome: 'ok',
      errorType: undefined,
      reply: { closed: true, outputs: [] },
      replied: true,
      tokenStatistics: true,
    };
    return buildRecord(
      ended,
      {
        usage: { inputTokens: 10, outputTokens: 3, reasoningTokens: 7 },
        tokenSource: 'provider',
      },
      new Delivery().ids(ended),
      { userIdHashKey: undefined, dimensions: [], service: () => 'test', priceOf: () => undefined },
    );
  }

  it('is corrected, and said once a provider and kind', () => {
    for (let i = 0; i < 3; i += 1) {
      const { reasoningTokens, outputTokens, totalTokens } = record('careless');
      assert.deepEqual([reasoningTokens, outputTokens, totalTokens], [3, 3, 13]);
    }
    record('careless-too');
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /careless is inconsistent: reasoningTokens exceeds/);
  });

  it('holds for attributes: what no record can keep is left out and said once', () => {
    warnings.length = 0;
    const given = JSON.parse('{"team": "sea", "__proto__": "x", "deep": {"a": 1}, "none": null}');
    for (let i = 0; i < 2; i += 1) {
      const { attributes } = record('any', { ...given, half: 0.5, wrong: Number.NaN });
      assert.deepEqual(Object.entries(attributes), [
        ['team', 'sea'],
        ['half', 0.5],
      ]);
      assert.equal(Object.getPrototypeOf(attributes), Object.prototype);
    }
    const told = warnings.filter((warning) => warning.includes('left out of usage records'));
    assert.deepEqual(
      told.map((warning) => /"(\w+)"/.exec(warning)?.[1]),
      ['__proto__', 'deep', 'wrong'],
    );
  });
});
