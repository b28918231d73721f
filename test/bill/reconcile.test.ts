import assert from 'node:assert/strict';
import type { BillLine } from '../../src/bill/bill.ts';
import { LedgerFigures } from '../../src/bill/ledger-figures.ts';
import { reconcile } from '../../src/bill/reconcile.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import {
  billOf,
  callAt,
  costOf,
  DAYS,
  linesOf,
  namesOf,
  reconciled,
  tenDays,
} from '../support/bill-days.ts';

const shifted = (record: UsageRecord, hours: number): string =>
  new Date(Date.parse(`${record.time.slice(0, 19)}Z`) + hours * 3_600_000)
    .toISOString()
    .slice(0, 10);

describe('a bill beside the ledger', () => {
  it('is equal where every figure is', () => {
    const calls = tenDays();
    const result = reconciled(billOf(calls.flatMap((call) => linesOf(call))), calls);
    assert.equal(result.state, 'equal');
    assert.deepEqual(result.findings, []);
    assert.equal(result.rows.length, DAYS.length * 5);
  });

  it('differs but for roundings where an invoice has cents', () => {
    const calls = tenDays();
    const lines = calls.flatMap((call) =>
      linesOf(call, { costUsd: Math.round((call.costUsd ?? 0) * 100) / 100 }),
    );
    const result = reconciled(billOf(lines, { costDecimals: 2 }), calls);
    assert.equal(result.state, 'equal');
    assert.ok(result.rows.some(({ state }) => state === 'rounding'));
    assert.equal(reconciled(billOf(lines), calls).state, 'gap');
  });

  it('has the days of another time zone', () => {
    const around = Array.from({ length: 12 * 24 }, (_, hour) => callAt(-1, hour));
    const bill = billOf(around.flatMap((call) => linesOf(call, { day: shifted(call, 8) })));
    const result = reconciled(bill, around);
    assert.deepEqual(namesOf(result), ['time_zone UTC+8']);
    assert.deepEqual(result.findings[0]?.alternatives, []);
    assert.ok(result.rows.every(({ state, reasons }) => state !== 'gap' || reasons.length === 1));
  });

  it('has the days of a zone that the hours of the calls leave open', () => {
    const around = [callAt(-1, 20), ...tenDays(), callAt(10, 3)];
    const bill = billOf(around.flatMap((call) => linesOf(call, { day: shifted(call, 8) })));
    const [finding, ...more] = reconciled(bill, around).findings;
    assert.equal(more.length, 0);
    assert.equal(finding?.code, 'time_zone');
    // Calls at 2, 9 and 22 o'clock: from UTC+4 on, the last one belongs to the next day.
    assert.equal(finding?.subject, 'UTC+4');
    assert.match(finding?.alternatives.join() ?? '', /^days in UTC\+5, .*UTC\+14$/);
  });

  it('has one more key, on some days', () => {
    const calls = tenDays();
    const others = [callAt(2, 5), callAt(7, 6)];
    const lines = [
      ...calls.flatMap((call, index) => linesOf(call, { account: `key_${index % 3}` })),
      ...others.flatMap((call) => linesOf(call, { account: 'key_other' })),
    ];
    const result = reconciled(billOf(lines), calls);
    assert.deepEqual(namesOf(result), ['unmetered_key key key_other']);
    assert.deepEqual(result.findings[0]?.days, [DAYS[2], DAYS[7]]);
    const cost = others.reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);
    assert.ok(Math.abs((result.findings[0]?.costUsd ?? 0) - cost) < 1e-9);
  });

  it('does not say which of two keys with the same usage is missing', () => {
    const calls = tenDays();
    const lines = [
      ...calls.flatMap((call) => linesOf(call, { account: 'key_a' })),
      ...calls.flatMap((call) => linesOf(call, { account: 'key_b' })),
    ];
    const [finding] = reconciled(billOf(lines), calls).findings;
    assert.equal(finding?.code, 'unmetered_key');
    assert.equal(finding?.alternatives.length, 1);
  });

  it('has a part of the calls of a key', () => {
    const calls = tenDays();
    const lines = calls.flatMap((call) => linesOf(call, { account: 'key_a' }));
    const result = reconciled(billOf(lines), calls.slice(1));
    assert.deepEqual(namesOf(result), ['calls_not_metered']);
    assert.match(result.findings[0]?.text ?? '', /one call more than the ledger/);
    assert.ok(Math.abs((result.findings[0]?.costUsd ?? 0) - (calls[0]?.costUsd ?? 0)) < 1e-9);
  });

  it('has fewer calls than the ledger', () => {
    const calls = tenDays();
    const bill = billOf(calls.slice(2).flatMap((call) => linesOf(call)));
    assert.deepEqual(namesOf(reconciled(bill, calls)), ['calls_not_billed']);
  });

  it('has other counts of the same calls, where no call is missing', () => {
    const calls = tenDays();
    const cached = (call: UsageRecord): number => (call.cacheReadTokens ?? 0) + 64;
    const lines = calls.flatMap((call) => linesOf({ ...call, cacheReadTokens: cached(call) }));
    const [finding, ...more] = reconciled(billOf(lines), calls).findings;
    assert.equal(more.length, 0);
    assert.equal(finding?.code, 'other_counts');
    assert.equal(finding.subject, 'cache_read_tokens');
    assert.match(
      finding.text,
      /The number of calls is the same, .* the bill has \+1,920 cache_read_tokens/,
    );
    // Anthropic's reports have no number of calls, but whole input and output say as much.
    const ofAnthropic = (call: UsageRecord): BillLine[] => {
      const [input = 0, output = 0] = [call.inputTokens, call.outputTokens];
      const of = { day: call.time.slice(0, 10), model: call.requestModel };
      return [
        { ...of, kind: 'uncached_input_tokens', quantity: input - cached(call) },
        { ...of, kind: 'cache_read_tokens', quantity: cached(call) },
        { ...of, kind: 'output_tokens', quantity: output },
      ];
    };
    const other = reconciled(billOf(calls.flatMap(ofAnthropic), { gives: ['usage'] }), calls);
    assert.deepEqual(
      other.findings.map(({ code }) => code),
      ['other_counts'],
    );
    const fewer = reconciled(billOf(calls.flatMap(ofAnthropic)), calls.slice(3));
    assert.ok(fewer.findings.some(({ code }) => code === 'calls_not_metered'));
  });

  it('has more calls and the same tokens, which are no unmetered calls', () => {
    const calls = tenDays();
    const refused = { day: '2026-10-02', model: 'm-1', kind: 'calls', quantity: 2 };
    const lines = [...calls.flatMap((call) => linesOf(call)), refused];
    const [finding] = reconciled(billOf(lines), calls).findings;
    assert.equal(finding?.code, 'other_counts');
    assert.match(finding.text, /no call with tokens is missing: the bill has \+2 calls\./);
  });

  it('has images and audio of models whose replies have tokens', () => {
    const image = tenDays({
      requestModel: 'gpt-image-1',
      operation: 'image_generation',
      cacheReadTokens: 0,
      attributes: { 'token_meter.usage.generated_images': 1 },
    });
    const speech = tenDays({ requestModel: 'gpt-4o-transcribe', operation: 'transcription' });
    const by = (call: UsageRecord, kind: string, quantity: number): BillLine => ({
      day: call.time.slice(0, 10),
      model: call.requestModel,
      kind,
      quantity,
    });
    const lines = [
      ...tenDays().flatMap((call) => linesOf(call)),
      ...[...image, ...speech].map((call) => by(call, 'calls', 1)),
      ...image.map((call) => by(call, 'generated_images', 1)),
      ...speech.map((call) => by(call, 'audio_input_seconds', 61)),
      ...[...image, ...speech].map(({ time, requestModel, costUsd = 0 }) => ({
        day: time.slice(0, 10),
        model: requestModel,
        costUsd,
      })),
    ];
    const result = reconciled(billOf(lines), [...tenDays(), ...image, ...speech]);
    assert.equal(result.state, 'equal', JSON.stringify(result.findings));
    assert.ok(result.rows.some(({ kind }) => kind === 'generated_images'));
    const fewer = reconciled(billOf(lines), [...tenDays(), ...image.slice(1), ...speech]);
    assert.deepEqual(namesOf(fewer), ['calls_not_metered']);
  });

  it('has the tokens of an advisor under the name of its model', () => {
    const attributes = {
      'token_meter.advisor.model': 'm-2',
      'token_meter.usage.advisor.input_tokens': 1000,
      'token_meter.usage.advisor.output_tokens': 100,
    };
    const advice = costOf(1000, 0, 100);
    const calls = tenDays();
    const advised = calls.map((call): UsageRecord => ({
      ...call,
      inputTokens: (call.inputTokens ?? 0) + 1000,
      outputTokens: (call.outputTokens ?? 0) + 100,
      costUsd: (call.costUsd ?? 0) + advice,
      attributes,
    }));
    const lines = calls.flatMap((call) => [
      ...linesOf(call),
      ...linesOf(call, { model: 'm-2', costUsd: advice })
        .filter(({ kind }) => kind !== 'calls' && kind !== 'cache_read_tokens')
        .map((line) => ({
          ...line,
          ...(line.kind === 'input_tokens' && { quantity: 1000 }),
          ...(line.kind === 'output_tokens' && { quantity: 100 }),
        })),
    ]);
    const ledger = new LedgerFigures(({ inputTokens: input = 0, outputTokens: output = 0 }) => ({
      costUsd: costOf(input, 0, output),
      costSource: 'list',
    }));
    for (const call of advised) ledger.add(call);
    const range = { from: new Date(`${DAYS[0]}T00:00:00Z`), to: new Date('2026-10-11T00:00:00Z') };
    const result = reconcile(billOf(lines), ledger, range, () => undefined);
    assert.equal(result.state, 'equal', JSON.stringify(result.findings));
    assert.ok(result.rows.some(({ model }) => model === 'm-2'));
  });

  it('is not equal where nothing was compared', () => {
    const calls = tenDays();
    const empty = reconciled(billOf([]), calls);
    assert.equal(empty.state, 'not_compared');
    assert.deepEqual(empty.coverage.absent, ['usage', 'costs']);
    assert.ok(empty.coverage.onlyInLedger.includes('cost_usd'));
    assert.equal(reconciled(billOf([]), []).state, 'not_compared');
    const elsewhere = calls.flatMap((call) => linesOf(call, { day: '2026-01-01' }));
    assert.equal(reconciled(billOf(elsewhere), calls).state, 'not_compared');
    assert.equal(reconciled(billOf(elsewhere), calls).linesOutside, elsewhere.length);
  });

  it('is not equal where costs or usage were not compared, unless it gives no such figures', () => {
    const calls = tenDays();
    const lines = calls.flatMap((call) => linesOf(call));
    const usage = lines.filter(({ costUsd }) => costUsd === undefined);
    const costs = lines.filter(({ costUsd }) => costUsd !== undefined);
    const withoutCosts = reconciled(billOf(usage), calls);
    assert.equal(withoutCosts.state, 'not_compared');
    assert.deepEqual(withoutCosts.coverage.absent, ['costs']);
    assert.deepEqual(reconciled(billOf(costs), calls).coverage.absent, ['usage']);
    assert.equal(reconciled(billOf(costs, { gives: ['costs'] }), calls).state, 'equal');
    const { coverage } = reconciled(billOf(costs, { gives: ['costs'] }), calls);
    assert.deepEqual(coverage.compared, ['cost_usd']);
    assert.ok(coverage.onlyInLedger.includes('input_tokens'));
  });

  it('compares a kind and a cost that the bill has as 0', () => {
    const calls = tenDays();
    const lines = calls.flatMap((call) => linesOf(call));
    const uncached = lines.map((line) =>
      line.kind === 'cache_read_tokens' ? { ...line, quantity: 0 } : line,
    );
    const result = reconciled(billOf(uncached), calls);
    assert.equal(result.state, 'gap');
    assert.deepEqual(namesOf(result), ['other_counts cache_read_tokens']);
    const free = lines.map((line) => (line.costUsd === undefined ? line : { ...line, costUsd: 0 }));
    assert.equal(reconciled(billOf(free), calls).state, 'gap');
    assert.equal(
      reconciled(billOf([...lines, { day: '2026-10-01', costUsd: 0 }]), calls).state,
      'equal',
    );
  });

  it('counts tokens that the ledger has estimated', () => {
    const calls = tenDays();
    const guessed = calls.map((call, index): UsageRecord => {
      if (index % 4 !== 0) return call;
      return { ...call, inputTokens: (call.inputTokens ?? 0) + 7, tokenSource: 'estimated' };
    });
    const bill = billOf(calls.flatMap((call) => linesOf(call)));
    assert.deepEqual(namesOf(reconciled(bill, guessed)), ['estimated_tokens']);
  });

  it('has another price from a day on', () => {
    const calls = tenDays();
    const since = DAYS[4] ?? '';
    const lines = calls.flatMap((call) =>
      linesOf(call, { costUsd: (call.costUsd ?? 0) * (call.time >= since ? 0.8 : 1) }),
    );
    const result = reconciled(billOf(lines), calls);
    assert.deepEqual(namesOf(result), [`price_changed m-1 ${since}`]);
    assert.match(
      result.findings[0]?.text ?? '',
      /80\.00 % of the ledger's cost from 2026-10-05 to 2026-10-10/,
    );
  });

  it('has another price of output alone, which no factor explains', () => {
    const calls = tenDays();
    const since = DAYS[3] ?? '';
    const lines = calls.flatMap((call) => {
      const dearer = ((call.outputTokens ?? 0) * 2.5) / 1e6;
      return linesOf(call, { costUsd: (call.costUsd ?? 0) + (call.time >= since ? dearer : 0) });
    });
    const result = reconciled(billOf(lines), calls);
    assert.deepEqual(namesOf(result), [`price_changed m-1 ${since}`]);
    assert.match(result.findings[0]?.text ?? '', /: output_tokens \$10 → \$12\.5 per million/);
  });

  it('has another price in the whole range', () => {
    const calls = tenDays();
    const lines = calls.flatMap((call) => linesOf(call, { costUsd: (call.costUsd ?? 0) * 0.9 }));
    assert.deepEqual(namesOf(reconciled(billOf(lines), calls)), ['price_differs m-1 2026-10-01']);
  });

  it('has a tier at half price, and a changed price as well', () => {
    const calls = tenDays();
    const lines = calls.flatMap((call, index) => {
      const isBatch = index % 3 === 0;
      const factor = (isBatch ? 0.5 : 1) * (call.time >= '2026-10-06' ? 1.25 : 1);
      const tier = isBatch ? { tier: 'batch' } : {};
      return linesOf(call, { costUsd: (call.costUsd ?? 0) * factor, ...tier });
    });
    const result = reconciled(billOf(lines), calls);
    assert.deepEqual(namesOf(result), ['batch_tier batch', 'price_changed m-1 2026-10-06']);
  });

  it('does not tell a price cut to a half from a tier', () => {
    const calls = tenDays();
    const lines = calls.flatMap((call) => linesOf(call, { costUsd: (call.costUsd ?? 0) / 2 }));
    const [finding] = reconciled(billOf(lines), calls).findings;
    assert.equal(finding?.code, 'price_differs');
    assert.match(finding?.alternatives.join() ?? '', /batch or flex tier/);
  });

  it('has the calls of one service at half price', () => {
    const calls = [...tenDays(), ...DAYS.map((_, day) => callAt(day, 4, { service: 'nightly' }))];
    const lines = calls.flatMap((call) =>
      linesOf(call, { costUsd: (call.costUsd ?? 0) * (call.service === 'nightly' ? 0.5 : 1) }),
    );
    assert.deepEqual(namesOf(reconciled(billOf(lines), calls)), ['batch_tier service nightly']);
  });

  it('has the cost of what has no price here', () => {
    const calls = tenDays().map((call, index): UsageRecord =>
      index % 9 === 0 ? { ...call, costMissing: ['web_searches'] } : call,
    );
    const lines = calls.flatMap((call) =>
      linesOf(call, {
        costUsd:
          (call.costUsd ?? 0) + (call.costMissing ? 0.013 * (1 + (call.inputTokens! % 3)) : 0),
      }),
    );
    assert.deepEqual(namesOf(reconciled(billOf(lines), calls)), ['unpriced_usage web_searches']);
  });

  it('is not explained by a reason that fits by chance', () => {
    const calls = tenDays();
    const lines = calls.flatMap((call, index) =>
      linesOf(call, { costUsd: (call.costUsd ?? 0) + 0.001 * ((index * 7919) % 13) }),
    );
    assert.deepEqual(namesOf(reconciled(billOf(lines), calls)), ['unexplained cost_usd']);
  });

  it('claims no reason for costs that differ at random, however often', () => {
    const calls = tenDays();
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    for (let round = 0; round < 200; round++) {
      const lines = calls.flatMap((call) =>
        linesOf(call, { costUsd: (call.costUsd ?? 0) * (0.9 + 0.2 * random()) }),
      );
      assert.deepEqual(namesOf(reconciled(billOf(lines), calls)), ['unexplained cost_usd']);
    }
  });

  it('claims no key for calls that are missing at random, however many keys there are', () => {
    const calls = tenDays();
    const lines = calls.flatMap((call, index) => linesOf(call, { account: `key_${index % 14}` }));
    let seed = 7;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    for (let round = 0; round < 20; round++) {
      // One call of a key stays, and another one of it is missing.
      const metered = calls.filter((_, index) => index === 0 || index % 14 !== 0 || random() < 0.4);
      if (metered.length === calls.length) continue;
      const [finding] = reconciled(billOf(lines), metered).findings;
      assert.equal(finding?.code, 'calls_not_metered');
    }
  });

  it('compares costs of all models together if the bill has some without a model', () => {
    const calls = [...tenDays(), ...tenDays({ requestModel: 'm-2' })];
    const search = DAYS.map((day) => ({ day, costUsd: 0.01 }));
    const withSearch = calls.map((call, index) =>
      index < 30 && index % 3 === 0 ? { ...call, costUsd: (call.costUsd ?? 0) + 0.01 } : call,
    );
    const result = reconciled(
      billOf([...calls.flatMap((call) => linesOf(call)), ...search]),
      withSearch,
    );
    assert.equal(result.state, 'equal', JSON.stringify(result.findings));
    const costs = result.rows.filter(({ kind }) => kind === 'cost_usd');
    assert.deepEqual([...new Set(costs.map(({ model }) => model))], ['(all models)']);
  });

  it('knows a model by its name without the date, unless two could be meant', () => {
    const calls = tenDays({ requestModel: 'gpt-5.1' });
    const dated = (model: string): ReturnType<typeof reconciled> =>
      reconciled(billOf(calls.flatMap((call) => linesOf(call, { model }))), calls);
    const { state, aliases } = dated('gpt-5.1-2025-11-13');
    assert.equal(state, 'equal');
    assert.deepEqual([...aliases], [['gpt-5.1-2025-11-13', 'gpt-5.1']]);
    assert.equal(dated('gpt-5.1-mini-2025-11-13').state, 'gap');
    const two = [...calls, ...tenDays({ requestModel: 'gpt-5.1-2026-02-02' })];
    const other = billOf(calls.flatMap((call) => linesOf(call, { model: 'gpt-5.1-2025-11-13' })));
    assert.equal(reconciled(other, two).aliases.size, 0);
  });

  it('compares months where the bill has months', () => {
    const calls = tenDays();
    const { state, rows } = reconciled(
      billOf(calls.flatMap((call) => linesOf(call, { day: '2026-10' }))),
      calls,
    );
    assert.equal(state, 'equal');
    assert.equal(rows.length, 5);
    assert.equal(rows[0]?.day, '2026-10');
  });

  it('leaves a cost that nobody has recorded with its day', () => {
    const bill = billOf([{ day: '2026-10-03', model: 'm-9', costUsd: costOf(1000, 0, 10) }]);
    const result = reconciled(bill, []);
    assert.equal(result.state, 'gap');
    assert.equal(result.rows.filter(({ state }) => state === 'gap').length, 1);
    assert.equal(namesOf(result).length, 1);
  });
});
