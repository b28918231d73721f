import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatch } from '../../src/cli/dispatch.ts';
import { separateLibrary } from '../../src/prices/list-library.ts';
import { startBillApi } from '../support/bill-api.ts';
import { memoryIo } from './memory-io.ts';

describe('otel-token-meter prices', () => {
  let folder: string;
  let priceFile: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-prices-cli-'));
    priceFile = join(folder, 'prices.json');
    writeFileSync(
      priceFile,
      JSON.stringify({
        usdPer: { EUR: { rate: 1.08, date: '2026-11-01' } },
        prices: [
          {
            provider: 'azure.ai.openai',
            model: 'gpt-4o*',
            currency: 'EUR',
            attributes: { team: 'search' },
            perMillionTokens: { input: 2, output: 8 },
          },
        ],
        discounts: [{ provider: 'openai', percent: 10 }],
        margins: [{ percent: 5, attributes: { team: 'search' } }],
        freeTiers: [{ provider: 'openai', per: 'month', tokens: 1_000_000 }],
      }),
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    const io = memoryIo();
    const code = await dispatch(['prices', ...args], io);
    return { code, out: io.out(), err: io.err() };
  };

  it('explains a list price, kind by kind, with its list and long-context tiers', async () => {
    const { code, out } = await run(
      'show',
      'claude-sonnet-4-5',
      '--provider',
      'anthropic',
      '--at',
      '2026-11-15',
    );
    assert.equal(code, 0);
    assert.match(out, /^claude-sonnet-4-5, 2026-11-15\n/);
    assert.match(
      out,
      /\ninput_tokens +\$3\.00 +per million tokens +genai-prices \d\S+ of 20\d\d-\d\d-\d\d\n/,
    );
    assert.match(out, /\n  above 200,000 input tokens +\$6\.00 +per million tokens\n/);
    assert.match(out, /\ncache_write_1h_tokens +\$6\.00/);
    assert.match(out, /\nimage_input_tokens +\$3\.00 .*, as input_tokens\n/);
    assert.match(out, /\nweb_searches +\$10\.00 +per thousand/);
    assert.match(out, /\nIn the list: anthropic\/claude-sonnet-4-5\n/);
    assert.match(out, /\nNo price is known for: .*audio_input_tokens.*code_executions/);
  });

  it('tells prices of the list from those that are added to it', async () => {
    const { out } = await run('show', 'gpt-4.1', '--provider', 'openai');
    assert.match(out, /\nweb_searches +\$10\.00 +per thousand +genai-prices/);
    assert.match(
      out,
      /\npreview_web_searches +\$25\.00 +per thousand +added by otel-token-meter\n/,
    );
    const rerank = await run('show', 'rerank-v3.5', '--provider', 'cohere', '--json');
    const { prices } = JSON.parse(rerank.out) as { prices: { kind: string; source: string }[] };
    assert.equal(prices.find(({ kind }) => kind === 'rerank_searches')?.source, 'addition');
  });

  it('explains contract, currency, discount, margin and free tier by their entries', async () => {
    const contract = await run(
      'show',
      'gpt-4o',
      '--provider',
      'azure.ai.openai',
      '--attribute',
      'team=search',
      '--prices',
      priceFile,
    );
    assert.match(
      contract.out,
      /\ninput_tokens +\$2\.268 +\$2\.16 +per million tokens +prices\[0\] of the price file, EUR at 1\.08 of 2026-11-01\n/,
    );
    assert.match(contract.out, /\nMargin: 5 % \(margins\[0\]\)\n/);
    assert.match(contract.out, /No price is known for: .*audio_input_tokens/);
    const other = await run(
      'show',
      'gpt-4o',
      '--provider',
      'azure.ai.openai',
      '--prices',
      priceFile,
    );
    assert.match(other.out, /\ninput_tokens +\$2\.50 +per million tokens +genai-prices/);
    const { out } = await run(
      'show',
      'gpt-4o',
      '--provider',
      'openai',
      '--prices',
      priceFile,
      '--json',
    );
    const { prices, ...explained } = JSON.parse(out) as { prices: { kind: string }[] };
    assert.deepEqual(
      prices.find(({ kind }) => kind === 'input_tokens'),
      { kind: 'input_tokens', usd: 2.25, before: 2.5, unit: 'per million tokens', source: 'list' },
    );
    assert.deepEqual(
      { ...explained, at: '', source: '', missing: '' },
      {
        model: 'gpt-4o',
        provider: 'openai',
        at: '',
        source: '',
        listed: { provider: 'openai', model: 'gpt-4o' },
        missing: '',
        discount: { entry: 'discounts[0]', percent: 10 },
        free_tiers: [{ entry: 'freeTiers[0]', free: '1000000 tokens per month' }],
      },
    );
  });

  it('says that nothing is known, and what is wrong', async () => {
    const unknown = await run('show', 'nobody-knows-it', '--provider', 'openai');
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.err,
      /No price is known for nobody-knows-it of openai\.\nPrices: genai-prices/,
    );
    assert.equal((await run('show')).code, 2);
    assert.equal((await run('guess')).code, 2);
    assert.match(
      (await run('show', 'm', '--at', 'soon')).err,
      /--at is not valid \(allowed: a date/,
    );
    assert.match((await run('show', 'm', '--attribute', 'team')).err, /--attribute is not valid/);
    assert.match((await run('update', '--url', 'file:///etc/passwd')).err, /--url is not valid/);
  });

  it('downloads the list, which is then the source of prices', async () => {
    const { bundled } = await separateLibrary();
    const server = await startBillApi(({ pathname }) =>
      pathname === '/data.json'
        ? { body: bundled }
        : { status: 302, headers: { location: '/data.json' } },
    );
    const file = join(folder, 'list.json');
    try {
      const { code, out, err } = await run(
        'update',
        '--url',
        `${server.url}/latest`,
        '--output',
        file,
      );
      assert.equal(code, 0, err);
      assert.match(
        out,
        /list\.json: [\d,]+ models of \d+ providers .* downloaded 20.* from http:\S+\n/,
      );
      assert.match(
        err,
        /The application reads \.token-meter\/price-list\.json \(prices\.list_file\)/,
      );
      const io = memoryIo({ TOKEN_METER_PRICE_LIST_FILE: file });
      assert.equal(
        await dispatch(['prices', 'show', 'gpt-4o', '--provider', 'openai', '--json'], io),
        0,
      );
      const { source } = JSON.parse(io.out()) as { source: Record<string, string> };
      assert.deepEqual(Object.keys(source), ['name', 'date', 'file']);
      assert.equal(source['file'], file);
      const failed = await run(
        'update',
        '--url',
        `${server.url}/x`,
        '--output',
        join(folder, 'no/where'),
      );
      assert.equal(failed.code, 0, 'folders are made');
    } finally {
      await server.close();
    }
    const gone = await run(
      'update',
      '--url',
      `${server.url}/data.json?k=secret`,
      '--output',
      join(folder, 'new.json'),
    );
    assert.equal(gone.code, 1);
    assert.match(gone.err, /price list: http:\S+ cannot be read: .*ECONNREFUSED/);
    assert.doesNotMatch(gone.err, /secret/);
    assert.equal(existsSync(join(folder, 'new.json')), false);
  });
});
