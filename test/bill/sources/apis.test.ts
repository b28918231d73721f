import assert from 'node:assert/strict';
import { anthropicBill } from '../../../src/bill/sources/anthropic.ts';
import { allPages, type ApiAccess } from '../../../src/bill/sources/http-pages.ts';
import { openaiBill } from '../../../src/bill/sources/openai.ts';
import { openrouterBill } from '../../../src/bill/sources/openrouter.ts';
import { type BillAnswer, type BillApi, startBillApi } from '../../support/bill-api.ts';

const range = { from: new Date('2025-08-01T00:00:00Z'), to: new Date('2025-08-03T00:00:00Z') };

describe('the API of a provider', () => {
  let api: BillApi | undefined;
  afterEach(async () => await api?.close());

  const access = async (answer: (url: URL) => BillAnswer): Promise<ApiAccess> => {
    api = await startBillApi(answer);
    return {
      baseUrl: `${api.url}/v1/`,
      headers: { authorization: 'Bearer k' },
      keyName: 'an admin key',
    };
  };

  it('is read to the last page, with the cursor of the one before', async () => {
    const pages = await allPages(
      await access(({ searchParams }) => ({
        body:
          searchParams.get('page') === 'next=1&x'
            ? { data: [{ n: 2 }], has_more: false, next_page: null }
            : { data: [{ n: 1 }], has_more: true, next_page: 'next=1&x' },
      })),
      '/things',
      [['limit', '1']],
    );
    assert.deepEqual(pages, [{ n: 1 }, { n: 2 }]);
    assert.deepEqual(
      api?.asked.map(({ path }) => path),
      ['/v1/things?limit=1', '/v1/things?limit=1&page=next%3D1%26x'],
    );
    assert.equal(api?.asked[0]?.headers.authorization, 'Bearer k');
  });

  it('is asked again where it is only busy', async () => {
    let times = 0;
    const pages = await allPages(
      await access(() => {
        times += 1;
        const busy = { status: 429, headers: { 'retry-after': '0' }, body: {} };
        return times < 3 ? busy : { body: { data: [], has_more: false } };
      }),
      '/things',
      [],
    );
    assert.deepEqual([pages, times], [[], 3]);
  });

  for (const [what, answer, message] of [
    [
      'a wrong key',
      { status: 403, body: { error: 'secret' } },
      /things refused the key \(status 403\); it needs an admin key$/,
    ],
    [
      'a path that is not there',
      { status: 404, body: 'secret' },
      /\/v1\/things answered with status 404$/,
    ],
    [
      'a redirect',
      { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' },
      /cannot be reached/,
    ],
    ['no JSON', { body: '<html>secret' }, /did not answer with JSON$/],
    ['another form', { body: { error: 'secret' } }, /answered in an unknown form/],
    [
      'a cursor that repeats',
      { body: { data: [], has_more: true, next_page: 'again' } },
      /repeats a page/,
    ],
  ] as const) {
    it(`reports ${what}, and nothing of the answer`, async () => {
      const source = await access(() => answer);
      await assert.rejects(allPages(source, '/things', []), (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret|Bearer/);
        return true;
      });
    });
  }

  it('of Anthropic is read as documented: cents, lifetimes of cache writes, tiers', async () => {
    // The examples of its reference.
    const usage = {
      starting_at: '2025-08-01T00:00:00Z',
      ending_at: '2025-08-02T00:00:00Z',
      results: [
        {
          api_key_id: 'apikey_01',
          cache_creation: { ephemeral_1h_input_tokens: 1000, ephemeral_5m_input_tokens: 500 },
          cache_read_input_tokens: 200,
          context_window: null,
          model: 'claude-sonnet-4-20250514',
          output_tokens: 500,
          server_tool_use: { web_search_requests: 10 },
          service_tier: 'batch',
          uncached_input_tokens: 1500,
          workspace_id: null,
        },
      ],
    };
    const cost = {
      starting_at: '2025-08-01T00:00:00Z',
      ending_at: '2025-08-02T00:00:00Z',
      results: [
        {
          amount: '123.78912',
          currency: 'USD',
          cost_type: 'tokens',
          model: 'claude-sonnet-4-20250514',
        },
        { amount: '10', currency: 'USD', cost_type: 'web_search', model: null },
      ],
    };
    const bill = await anthropicBill(
      await access(({ pathname }) => ({
        body: {
          data: [pathname.endsWith('cost_report') ? cost : usage],
          has_more: false,
          next_page: null,
        },
      })),
      range,
      { accounts: 'api_key_id' },
    );
    const of = { day: '2025-08-01', model: 'claude-sonnet-4-20250514' };
    const used = { ...of, account: 'apikey_01', tier: 'batch' };
    assert.deepEqual(bill.lines, [
      { ...used, kind: 'uncached_input_tokens', quantity: 1500 },
      { ...used, kind: 'cache_read_tokens', quantity: 200 },
      { ...used, kind: 'cache_write_5m_tokens', quantity: 500 },
      { ...used, kind: 'cache_write_1h_tokens', quantity: 1000 },
      { ...used, kind: 'output_tokens', quantity: 500 },
      { ...used, kind: 'web_searches', quantity: 10 },
      { ...of, costUsd: 1.2378912 },
      { day: '2025-08-01', costUsd: 0.1 },
    ]);
    const [asked] = api?.asked ?? [];
    assert.match(
      asked?.path ?? '',
      /^\/v1\/organizations\/usage_report\/messages\?starting_at=2025-08-01T00%3A00%3A00Z&ending_at=2025-08-03T00%3A00%3A00Z&bucket_width=1d&limit=31&group_by%5B%5D=model/,
    );
  });

  it('of OpenRouter is read as documented', async () => {
    const bill = await openrouterBill(
      await access(() => ({
        body: {
          data: [
            {
              date: '2025-08-24 00:00:00',
              model: 'openai/gpt-4.1',
              model_permaslug: 'openai/gpt-4.1-2025-04-14',
              endpoint_id: '550e8400-e29b-41d4-a716-446655440000',
              provider_name: 'OpenAI',
              usage: 0.015,
              byok_usage_inference: 0.012,
              requests: 5,
              prompt_tokens: 50,
              completion_tokens: 125,
              reasoning_tokens: 25,
            },
          ],
        },
      })),
    );
    const of = { day: '2025-08-24', model: 'openai/gpt-4.1' };
    assert.deepEqual(bill.lines, [
      { ...of, kind: 'calls', quantity: 5 },
      { ...of, kind: 'input_tokens', quantity: 50 },
      { ...of, kind: 'output_tokens', quantity: 125 },
      { ...of, kind: 'reasoning_tokens', quantity: 25 },
      { ...of, costUsd: 0.015 },
    ]);
    assert.match(bill.notes.join(), /\$0\.01 were billed by providers to your own keys/);
  });

  it('of OpenAI has audio, embeddings and costs that are about no model', async () => {
    const buckets: Readonly<Record<string, readonly object[]>> = {
      completions: [
        {
          input_tokens: 1000,
          output_tokens: 500,
          input_cached_tokens: 800,
          input_audio_tokens: 20,
          input_cached_audio_tokens: 5,
          num_model_requests: 5,
          project_id: 'proj_1',
          model: 'gpt-4o-audio-preview',
          batch: true,
        },
      ],
      embeddings: [
        {
          input_tokens: 16,
          num_model_requests: 2,
          model: 'text-embedding-3-small',
          project_id: null,
        },
      ],
      images: [],
      audio_speeches: [],
      audio_transcriptions: [
        { seconds: 20, num_model_requests: 1, model: 'whisper-1', project_id: 'proj_1' },
      ],
      costs: [
        {
          amount: { value: 0.06, currency: 'usd' },
          line_item: 'gpt-4o-audio-preview, input_tokens',
          project_id: 'proj_1',
        },
        {
          amount: { value: '0.03', currency: 'usd' },
          line_item: 'Code Interpreter sessions',
          project_id: 'proj_1',
        },
        { amount: { value: 1, currency: 'eur' }, line_item: 'gpt-4o, input', project_id: 'proj_1' },
      ],
    };
    const bill = await openaiBill(
      await access(({ pathname }) => ({
        body: {
          data: [
            {
              start_time: 1754006400,
              end_time: 1754092800,
              results: buckets[pathname.split('/').at(-1) ?? ''],
            },
          ],
          has_more: false,
          next_page: null,
        },
      })),
      range,
      { accounts: 'project_id' },
    );
    const audio = {
      day: '2025-08-01',
      model: 'gpt-4o-audio-preview',
      account: 'proj_1',
      tier: 'batch',
    };
    const small = { day: '2025-08-01', model: 'text-embedding-3-small', account: '(none)' };
    const whisper = { day: '2025-08-01', model: 'whisper-1', account: 'proj_1' };
    assert.deepEqual(bill.lines, [
      { ...audio, kind: 'calls', quantity: 5 },
      { ...audio, kind: 'input_tokens', quantity: 1000 },
      { ...audio, kind: 'cache_read_tokens', quantity: 800 },
      { ...audio, kind: 'output_tokens', quantity: 500 },
      { ...audio, kind: 'audio_input_tokens', quantity: 25 },
      { ...small, kind: 'calls', quantity: 2 },
      { ...small, kind: 'input_tokens', quantity: 16 },
      { ...whisper, kind: 'calls', quantity: 1 },
      { ...whisper, kind: 'audio_input_seconds', quantity: 20 },
      { day: '2025-08-01', costUsd: 0.06, account: 'proj_1', model: 'gpt-4o-audio-preview' },
      { day: '2025-08-01', costUsd: 0.03, account: 'proj_1' },
    ]);
    assert.match(bill.notes.join(), /Costs in eur were left out/);
  });
});
