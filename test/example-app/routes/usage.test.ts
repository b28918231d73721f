import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../../example-app/app.ts';
import { Access } from '../../../example-app/middleware/access.ts';
import { usageCosts, usageForecast } from '../../../example-app/routes/usage-costs-schema.ts';
import {
  usageConversation,
  usagePage,
  usageRunTree,
  usageSummary,
} from '../../../example-app/routes/usage-schemas.ts';
import { usageRoutes } from '../../../example-app/routes/usage.ts';
import { LedgerFile } from '../../../exporter/sqlite/write/ledger-file.ts';
import { SqliteUsageReader } from '../../../exporter/sqlite/read/sqlite-usage-reader.ts';
import type { UsageReader } from '../../../exporter/ledger/usage-query.ts';
import { until } from '../../support/until.ts';
import { usageRecord } from '../../support/usage-logs.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const TOKEN = 'a-token-for-tests';

const PLANNER = { kind: 'agent', name: 'planner', id: 'a' } as const;
const SEARCH = { kind: 'tool', name: 'search', id: 'b' } as const;

describe('routes of /api/usage', () => {
  let folder: string;
  let reader: SqliteUsageReader;
  let server: Server;
  const problems: unknown[] = [];

  const listen = async (
    usageReader: UsageReader,
    options: Partial<Parameters<typeof usageRoutes>[0]> = {},
  ): Promise<Server> => {
    const app = createApp({
      access: new Access({ adminTokens: 'root:admin-token', viewerTokens: TOKEN }),
      routes: usageRoutes({ reader: usageReader, now: () => new Date(NOW), ...options }),
      onError: (error) => problems.push(error),
    });
    const listening = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => listening.once('listening', resolve));
    return listening;
  };
  const get = async (path: string, at = server, init: RequestInit = {}): Promise<Response> =>
    await fetch(`http://127.0.0.1:${(at.address() as AddressInfo).port}/api/usage/${path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
      ...init,
    });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-routes-'));
    const path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write(
      Array.from({ length: 3000 }, (_, index) =>
        usageRecord(NOW - (index + 1) * 60_000, {
          requestModel: index % 3 === 0 ? 'gpt-4o' : 'gpt-4o-mini',
          ...(index % 5 !== 0 && { userId: `user-${index % 5}` }),
          conversationId: `c/${index % 50}`,
          inputTokens: 100,
          outputTokens: index % 7,
          totalTokens: 100 + (index % 7),
          tokenSource: 'provider',
          costUsd: 0.001,
          timeToFirstChunkMs: 12,
        }),
      ),
    );
    file.write([
      usageRecord(NOW - 30_000, {
        userId: '=HYPERLINK("http://evil.example","click")',
        requestModel: '＋1,"x"',
        conversationId: '@SUM(A1)\nnext',
        attributes: { note: '-2+3' },
      }),
      ...[[PLANNER], [PLANNER, SEARCH]].map((steps) =>
        usageRecord(NOW - 200 * 86_400_000, {
          runId: 'run/1',
          agentName: 'planner',
          ...(steps.length > 1 && { toolName: 'search' }),
          steps,
          requestModel: 'gpt-4o',
        }),
      ),
    ]);
    file.close();
    reader = new SqliteUsageReader({ path });
    server = await listen(reader);
  });
  after(async () => {
    server.close();
    await reader.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('projects the month, and states why it does not', async () => {
    const answer = await get('forecast?time_zone=Europe/Berlin&model=gpt-4o');
    assert.equal(answer.status, 200);
    const { metrics, ...forecast } = usageForecast.parse(await answer.json());
    assert.equal(forecast.from, '2026-10-31T23:00:00.000Z');
    assert.equal(forecast.required_days, 14);
    assert.deepEqual(metrics.calls, { used: 1000, days: 1 });
    assert.equal((await get('forecast?time_zone=Nowhere')).status, 422);
    assert.equal((await get('forecast?from=7d')).status, 422);
  });

  it('asks who wants to know', async () => {
    const response = await get('summary', server, { headers: {} });
    assert.equal(response.status, 401);
  });

  it('answers a summary of the last 24 hours in the shape of its schema', async () => {
    const response = await get(
      'summary?group_by=user,model&compare=previous&percentiles=true&distinct=true',
    );
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const body: unknown = await response.json();
    const summary = usageSummary.parse(body);
    assert.deepEqual(summary, body, 'no member is missing in the schema');
    assert.equal(summary.from, '2026-11-19T12:00:00.000Z');
    assert.equal(summary.total.calls, 1441);
    assert.equal(summary.total.users, 5);
    assert.equal(summary.previous?.calls, 1440);
    assert.deepEqual(summary.group_by, ['user', 'model']);
    assert.ok(summary.rows.some(({ user, model }) => user === null && model === 'gpt-4o'));
  });

  it('compares with other models, and tells what caching saved, over every call', async () => {
    const response = await get('costs?what_if=gpt-4o=gpt-4.1-mini&user=user-1&user=user-2');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const body: unknown = await response.json();
    const costs = usageCosts.parse(body);
    assert.deepEqual(costs, body, 'no member is missing in the schema');
    assert.equal(costs.total.calls, 576);
    assert.equal(costs.caching.calls, 0);
    const [answer] = costs.what_if;
    assert.equal(answer?.calls, 192);
    assert.equal(answer?.compared_calls, 192);
    // 100 × (2.5 − 0.4) of input a call
    assert.equal(
      Math.round(((answer?.by_kind?.input ?? 0) - (answer?.by_kind_then?.input ?? 0)) * 1e9),
      192 * 100 * 2100,
    );
    assert.match(costs.prices?.name ?? '', /^genai-prices/);
  });

  it('refuses a comparison with nothing', async () => {
    for (const what of ['gpt-4o', 'gpt-4o=', '=gpt-4o', 'a=b=c']) {
      const response = await get(`costs?what_if=${what}`);
      assert.equal(response.status, 422, what);
      assert.match(((await response.json()) as { detail: string }).detail, /what_if/);
    }
  });

  it('takes every filter, an empty name for none, and a time zone', async () => {
    const query =
      'from=2026-11-19&to=2026-11-20&time_zone=Asia/Shanghai&group_by=hour&user=&user=user-1&model=gpt-4o';
    const summary = usageSummary.parse(await (await get(`summary?${query}`)).json());
    assert.equal(summary.from, '2026-11-18T16:00:00.000Z');
    assert.equal(summary.to, '2026-11-19T16:00:00.000Z');
    assert.equal(summary.rows.length, 24);
    assert.equal(summary.rows[0]?.hour, '2026-11-19T00:00+08:00');
    // of fifteen minutes in a row, two users' and each third: two
    assert.equal(summary.total.calls, (24 * 60 * 2) / 15);
  });

  it('orders by the metric and folds what is beyond the limit', async () => {
    const query = 'group_by=user&metric=output_tokens&order=asc&limit=1&from=7d';
    const summary = usageSummary.parse(await (await get(`summary?${query}`)).json());
    assert.deepEqual(
      summary.rows.map((row) => row.is_other ?? false),
      [false, true],
    );
    assert.equal(summary.rows[1]?.user, '(other)');
    assert.equal(summary.other?.calls, summary.rows[1]?.calls);
  });

  for (const [query, word] of [
    ['group_by=colour', 'group_by must be one of user, '],
    ['groupby=user', 'groupby'],
    ['metric=money', 'metric'],
    ['limit=0', 'limit'],
    ['limit=many', 'limit'],
    ['from=yesterday', 'yesterday'],
    ['from=now&to=1h', 'after from'],
    ['time_zone=Mars/Olympus', 'Mars/Olympus'],
    ['outcome=fine', 'outcome'],
  ] as const) {
    it(`refuses ?${query} and says why`, async () => {
      const response = await get(`summary?${query}`);
      assert.equal(response.status, 422);
      assert.equal(response.headers.get('content-type'), 'application/problem+json');
      const problem = (await response.json()) as { detail: string; code: string };
      assert.equal(problem.code, 'invalid_request');
      assert.ok(problem.detail.includes(word), problem.detail);
    });
  }

  it('pages through records, newest first', async () => {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const query: string = cursor === undefined ? '' : `&cursor=${cursor}`;
      const body: unknown = await (await get(`records?user=user-2&limit=250${query}`)).json();
      const page = usagePage.parse(body);
      assert.deepEqual(page, body, 'no member is missing in the schema');
      ids.push(...page.records.map(({ id }) => id));
      ({ cursor } = page);
    } while (cursor !== undefined);
    assert.equal(new Set(ids).size, 600);
    assert.equal((await get('records?cursor=AAAA')).status, 422);
  });

  it('tells one conversation, and 404 of another', async () => {
    const body: unknown = await (await get(`conversations/${encodeURIComponent('c/7')}`)).json();
    const conversation = usageConversation.parse(body);
    assert.deepEqual(conversation, body, 'no member is missing in the schema');
    assert.equal(conversation.records.length, 60);
    assert.equal(conversation.total?.calls, 60);
    const times = conversation.records.map(({ time }) => time);
    assert.deepEqual(times, times.toSorted());
    assert.equal((await get('conversations/none')).status, 404);
  });

  it('tells the tree of one run, and 404 of another', async () => {
    const body: unknown = await (await get(`runs/${encodeURIComponent('run/1')}`)).json();
    const run = usageRunTree.parse(body);
    assert.deepEqual(run, body, 'no member is missing in the schema');
    assert.equal(run.total.calls, 2);
    assert.equal(run.steps[0]?.steps[0]?.models[0]?.model, 'gpt-4o');
    assert.equal((await get('runs/none')).status, 404);
    const page = usagePage.parse(await (await get('records?run=run/1&tool=search')).json());
    assert.deepEqual(
      page.records.map(({ steps }) => steps?.map(({ name }) => name)),
      [['planner', 'search']],
    );
    const { rows } = usageSummary.parse(
      await (await get('summary?from=250d&group_by=agent,run&agent=planner')).json(),
    );
    assert.deepEqual(
      rows.map((row) => [row['agent'], row['run'], row.calls]),
      [['planner', 'run/1', 2]],
    );
  });

  it('exports every record as CSV that no spreadsheet runs', async () => {
    const response = await get('export.csv');
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/csv/);
    assert.equal(
      response.headers.get('content-disposition'),
      'attachment; filename="usage-2026-11-20.csv"',
    );
    const bytes = new Uint8Array(await response.arrayBuffer());
    assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf], 'byte order mark');
    const rows = parseCsv(new TextDecoder().decode(bytes));
    const [head = [], newest = [], ...rest] = rows;
    assert.equal(rest.length, 3002);
    const ofRun = rest.at(-1) ?? [];
    assert.deepEqual(
      ['agent_name', 'run_id', 'tool_name'].map((name) => ofRun[head.indexOf(name)]),
      ['planner', 'run/1', ''],
    );
    assert.ok(rest.every((row) => row.length === head.length));
    const cell = (name: string): string => newest[head.indexOf(name)] ?? '';
    assert.equal(cell('user_id'), `'=HYPERLINK("http://evil.example","click")`);
    assert.equal(cell('request_model'), `'＋1,"x"`);
    assert.equal(cell('conversation_id'), `'@SUM(A1)\nnext`);
    assert.equal(cell('attributes'), '{"note":"-2+3"}');
    assert.equal(cell('input_tokens'), '');
    const dangerous = rows.flat().filter((value) => /^[=+\-@\t\r＝＋－＠]/.test(value));
    assert.deepEqual(dangerous, []);
    const some = await get('export.csv?model=gpt-4o&from=2026-11-20T11:00:00Z');
    assert.equal(parseCsv(await some.text()).length, 1 + 20);
  });

  it('exports the cost in the display currency as well', async () => {
    const currency = { code: 'EUR', usdPerUnit: 1.25, date: '2026-11-01' };
    const app = await listen(reader, { currency: () => currency });
    try {
      const [head = [], first = [], second = []] = parseCsv(
        await (await get('export.csv', app)).text(),
      );
      assert.deepEqual(head.slice(-5), [
        'attributes',
        'cost',
        'currency',
        'usd_per_unit',
        'rate_date',
      ]);
      assert.deepEqual(first.slice(-4), ['', 'EUR', '1.25', '2026-11-01']);
      assert.deepEqual(second.slice(-4), ['0.0008', 'EUR', '1.25', '2026-11-01']);
      assert.equal(second[head.indexOf('cost_usd')], '0.001');
    } finally {
      await new Promise((resolve) => app.close(resolve));
    }
  });

  it('ends the query of a client that goes away', async () => {
    let asked = false;
    let aborted: unknown;
    const slow = await listen({
      ...notAsked,
      summary: async ({ signal }) =>
        await new Promise((_, reject) => {
          asked = true;
          signal?.addEventListener('abort', () => {
            aborted = signal.reason;
            reject(signal.reason);
          });
        }),
    });
    problems.length = 0;
    const controller = new AbortController();
    const answer = get('summary', slow, {
      signal: controller.signal,
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    await until(() => asked);
    controller.abort();
    await assert.rejects(answer, { name: 'AbortError' });
    await until(() => aborted !== undefined);
    assert.match(String(aborted), /went away/);
    assert.deepEqual(problems, []);
    slow.close();
  });

  it('stops reading when a download is given up', async () => {
    let pages = 0;
    const endless = await listen({
      ...notAsked,
      records: async ({ signal } = {}) => {
        signal?.throwIfAborted();
        pages++;
        await new Promise((resolve) => setTimeout(resolve, 2));
        return {
          records: Array.from({ length: 1000 }, () => usageRecord(NOW)),
          cursor: 'next',
        };
      },
    });
    problems.length = 0;
    const controller = new AbortController();
    const response = await get('export.csv', endless, {
      signal: controller.signal,
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const body = response.body?.getReader();
    await body?.read();
    controller.abort();
    await until(async () => {
      const before = pages;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return before === pages;
    });
    assert.deepEqual(problems, []);
    endless.close();
  });

  it('says 503 while the ledger cannot be read', async () => {
    const missing = new SqliteUsageReader({ path: join(folder, 'none.db') });
    const broken = await listen(missing);
    for (const path of ['summary', 'records', 'export.csv', 'conversations/c']) {
      const response = await get(path, broken);
      assert.equal(response.status, 503);
      assert.equal(response.headers.get('retry-after'), '5');
      const text = await response.text();
      assert.ok(!text.includes(folder), 'the answer tells no path');
    }
    broken.close();
    await missing.close();
  });
});

const refuse = (): never => {
  throw new Error('not asked for');
};
const notAsked: UsageReader = {
  summary: refuse,
  records: refuse,
  conversation: refuse,
  close: async () => await Promise.resolve(),
};

/** A reader of RFC 4180 by its grammar, not by ours. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/gy;
  for (const [all, quoted, plain = '', end] of text.replace('\uFEFF', '').matchAll(field)) {
    if (all === '' && row.length === 0) break;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
