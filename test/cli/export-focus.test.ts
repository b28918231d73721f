import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { parseCsv } from '../../src/bill/sources/csv-table.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { Prices } from '../../src/prices/prices.ts';
import { usageRecord } from '../support/usage-logs.ts';
import { memoryIo } from './memory-io.ts';

/** Of the specification, tag v1.2: feature level Mandatory. */
const MANDATORY = (
  'BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart ' +
  'ChargeCategory ChargeClass ChargeDescription ChargePeriodEnd ChargePeriodStart ContractedCost ' +
  'EffectiveCost InvoiceIssuerName ListCost PricingQuantity PricingUnit ProviderName PublisherName ' +
  'ServiceCategory ServiceName'
).split(' ');

/** Columns that may be null in the rows we write; all others of the specification must not be. */
const NULLABLE = new Set([
  'BillingAccountName',
  'ChargeClass',
  'InvoiceId',
  'SkuPriceDetails',
  'Tags',
]);

describe('otel-token-meter export --format focus', () => {
  let folder: string;
  let path: string;
  const prices = new Prices();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-focus-'));
    path = join(folder, 'usage.db');
    await prices.load();
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write([...records()]);
    file.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const priced = (at: string, over: Partial<UsageRecord>): UsageRecord => {
    const record = usageRecord(at, { tokenSource: 'provider', ...over });
    return { ...record, ...prices.price(record) };
  };
  const tokens = { inputTokens: 1000, outputTokens: 101, totalTokens: 1101 };
  const records = (): readonly UsageRecord[] => [
    priced('2026-10-01T00:00:00Z', {
      ...tokens,
      cacheReadTokens: 300,
      attributes: { team: 'search' },
    }),
    priced('2026-10-01T23:59:59Z', { ...tokens, inputTokens: 333 }),
    priced('2026-10-02T12:00:00Z', { ...tokens, serviceTier: 'batch' }),
    priced('2026-10-02T12:00:00Z', { ...tokens, provider: 'perplexity', requestModel: 'sonar' }),
    priced('2026-10-03T12:00:00Z', {
      provider: 'anthropic',
      requestModel: 'claude-sonnet-4-5',
      inputTokens: 250_000,
      outputTokens: 777,
      cacheWriteTokens: 4000,
      attributes: {
        'token_meter.usage.cache_write_1h_tokens': 1000,
        'token_meter.usage.web_searches': 2,
      },
    }),
    priced('2026-10-03T12:00:00Z', {
      provider: 'openai',
      requestModel: 'whisper-1',
      operation: 'transcription',
      attributes: { 'token_meter.usage.audio_input_seconds': 60.5 },
    }),
    // The reply reported it, or it was priced by another list: no unit price makes this cost.
    { ...priced('2026-10-04T12:00:00Z', tokens), costUsd: 0.1234, costSource: 'provider' },
    { ...priced('2026-10-04T12:00:00Z', tokens), costUsd: 0.77 },
    priced('2026-10-05T12:00:00Z', { ...tokens, requestModel: 'nobody-knows-it' }),
    // A name that a spreadsheet would take for a formula.
    priced('2026-10-06T12:00:00Z', {
      ...tokens,
      provider: 'cloudflare',
      requestModel: '@cf/meta/llama-3.1-8b-instruct',
    }),
    priced('2026-10-06T12:00:00Z', {
      ...tokens,
      requestModel: 'gpt-4o',
      attributes: { 'gen_ai.usage.audio.input_tokens': 50, 'token_meter.usage.map_searches': 2 },
    }),
    usageRecord('2026-10-06T13:00:00Z', { requestModel: 'gpt-4o', outcome: 'error' }),
    priced('2026-11-01T00:00:00Z', tokens),
  ];
  const october = (): number =>
    records()
      .filter(({ time }) => time < '2026-11-01')
      .reduce((sum, { costUsd = 0 }) => sum + Math.round(costUsd * 1e9), 0);

  const focus = async (...args: string[]): Promise<{ text: string; err: string }> => {
    const io = memoryIo();
    const all = ['export', '--format', 'focus', '--sqlite', path, '--billing-account', 'org-1'];
    assert.equal(await dispatch([...all, '--month', '2026-10', ...args], io), 0, io.err());
    return { text: io.out(), err: io.err() };
  };

  it('is equal to the ledger that it was made of, to the nano-dollar', async () => {
    const file = join(folder, 'focus.csv');
    writeFileSync(file, (await focus()).text);
    const io = memoryIo();
    const args = ['reconcile', 'focus', file, '--sqlite', path, '--month', '2026-10'];
    assert.equal(await dispatch([...args, '--json'], io), 0, io.out());
    const { rows, ...report } = JSON.parse(io.out()) as {
      readonly rows: readonly { readonly state: string; readonly kind: string }[];
      readonly costs_only_days: number;
    };
    assert.ok(rows.every(({ state }) => state === 'equal'));
    assert.ok(rows.some(({ kind }) => kind === 'input_tokens'));
    // Those of a cost without its parts, and of a call without a price.
    assert.ok(report.costs_only_days >= 2);
    const changed = (await focus()).text;
    const [line = ''] = /^0\.[0-9]+,/m.exec(changed) ?? [];
    writeFileSync(file, changed.replace(line, line.replace(',', '1,')));
    const other = memoryIo();
    assert.equal(await dispatch(args, other), 3, other.out());
  });

  it('has every mandatory column, null only where it may be, and products that match', async () => {
    const { text, err } = await focus('--tags', 'team');
    const { columns, rows } = parseCsv(text, 'focus');
    for (const column of MANDATORY) assert.ok(columns.includes(column), column);
    assert.ok(columns.every((name) => /^(x_)?[A-Z][A-Za-z]+$/.test(name)));
    let sum = 0;
    for (const row of rows) {
      for (const column of columns) {
        if (row.get(column) === undefined)
          assert.ok(NULLABLE.has(column) || column.startsWith('x_'), column);
      }
      const number = (column: string): number => {
        assert.match(row.get(column) ?? '', /^-?\d+(\.\d+)?$/, column);
        return Number(row.get(column));
      };
      const quantity = number('PricingQuantity');
      for (const [cost, price] of [
        ['ContractedCost', 'ContractedUnitPrice'],
        ['ListCost', 'ListUnitPrice'],
      ] as const) {
        assert.ok(
          Math.abs(number(cost) - quantity * number(price)) < 1e-9,
          `${row.get('SkuId')} ${cost}`,
        );
      }
      assert.ok(Math.abs(number('BilledCost') - number('ContractedCost')) < 1e-8, row.get('SkuId'));
      assert.equal(row.get('EffectiveCost'), row.get('BilledCost'));
      assert.match(row.get('ChargePeriodStart') ?? '', /^2026-10-\d\dT00:00:00Z$/);
      assert.equal(row.get('BillingPeriodEnd'), '2026-11-01T00:00:00Z');
      assert.equal(row.get('ServiceCategory'), 'AI and Machine Learning');
      sum += Math.round(number('BilledCost') * 1e9);
    }
    assert.equal(sum, october(), 'to the nano-dollar');
    assert.match(err, /12 calls\n1 calls have no cost and are not in the file/);
    const tagged = rows.filter((row) => row.get('Tags') !== undefined);
    assert.deepEqual(new Set(tagged.map((row) => row.get('Tags'))), new Set(['{"team":"search"}']));
  });

  it('has the unit price of each kind, tier and size', async () => {
    const { rows } = parseCsv((await focus()).text, 'focus');
    const priceOf = (model: string, meter: string, tier?: string): string | undefined =>
      rows
        .find(
          (row) =>
            row.get('x_Model') === model &&
            row.get('SkuMeter') === meter &&
            row.get('x_ServiceTier') === tier,
        )
        ?.get('ContractedUnitPrice');
    assert.equal(priceOf('gpt-4o', 'input_tokens'), '2.5');
    assert.equal(priceOf('gpt-4o', 'cache_read_tokens'), '1.25');
    assert.equal(priceOf('gpt-4o', 'input_tokens', 'batch'), '1.25');
    assert.equal(priceOf('claude-sonnet-4-5', 'output_tokens'), '22.5');
    assert.equal(priceOf('claude-sonnet-4-5', 'web_searches'), '10');
    assert.equal(priceOf('whisper-1', 'audio_input_seconds'), '0.006');
    assert.equal(priceOf('sonar', 'requests'), '12');
    const reported = rows.filter((row) => row.get('PricingUnit') === 'Requests');
    assert.deepEqual(
      new Set(reported.map((row) => row.get('BilledCost'))),
      new Set(['0.1234', '0.77']),
    );
  });

  it('wants to know the account, and no user', async () => {
    const io = memoryIo();
    assert.equal(await dispatch(['export', '--format', 'focus', '--sqlite', path], io), 2);
    assert.match(io.err(), /--billing-account ID/);
    const wrong = memoryIo();
    assert.equal(
      await dispatch(['export', '--format', 'xml', '--user', 'a', '--sqlite', path], wrong),
      2,
    );
  });
});
