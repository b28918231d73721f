import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { usageRecord } from '../support/usage-logs.ts';
import { memoryIo } from './memory-io.ts';

const counted = (tokens: number, costUsd?: number) => ({
  inputTokens: tokens,
  outputTokens: 1,
  totalTokens: tokens + 1,
  tokenSource: 'provider' as const,
  ...(costUsd !== undefined && { costUsd }),
});

describe('otel-token-meter report', () => {
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-report-'));
    path = join(folder, 'usage.db');
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write([
      usageRecord('2026-11-01T10:00:00Z', { userId: '小明', ...counted(1000, 0.5) }),
      usageRecord('2026-11-01T11:00:00Z', { userId: '小明', ...counted(500, 0.25) }),
      usageRecord('2026-11-02T10:00:00Z', {
        userId: 'alice\u001B[2J',
        provider: 'acme',
        requestModel: 'house-model',
        ...counted(300),
      }),
      usageRecord('2026-11-02T17:00:00Z', { userId: '=1+1', outcome: 'error' }),
      usageRecord('2025-11-01T17:00:00Z', {
        team: 'sea',
        dimensions: { feature: 'search' },
        ...counted(7),
      }),
      usageRecord('2025-11-01T18:00:00Z', { team: 'sea', outcome: 'blocked' }),
      usageRecord('2025-03-01T18:00:00Z', {
        runId: 'run-1',
        durationMs: 1000,
        agentName: 'planner',
        steps: [{ kind: 'agent', name: 'planner\u001B[2J', id: 'a' }],
        ...counted(100, 0.5),
        costMissing: ['web_searches'],
      }),
      usageRecord('2025-03-01T18:00:04Z', {
        runId: 'run-1',
        durationMs: 1000,
        agentName: 'planner',
        toolName: 'search',
        steps: [
          { kind: 'agent', name: 'planner\u001B[2J', id: 'a' },
          { kind: 'tool', name: 'search', id: 'b' },
        ],
        ...counted(20, 0.1),
        tokenSource: 'estimated',
      }),
    ]);
    file.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const range = ['--since', '2026-11-01', '--until', '2026-11-03', '--tz', 'UTC'];
  const report = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    const io = memoryIo();
    const code = await dispatch(['report', ...args, '--sqlite', path], io);
    return { code, out: io.out(), err: io.err() };
  };

  it('prints the tree of a run of whatever time, and what its sum leaves out', async () => {
    const { out, err, code } = await report('--run', 'run-1');
    assert.equal(code, 0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => line.replaceAll(/ {2,}/g, '|'));
    assert.deepEqual(lines, [
      'step|calls|input|output|total|cost|errors|time',
      'agent planner�[2J|2|120|2|122|≥ $0.600000|0|5.0 s',
      '|openai/gpt-4o|1|100|1|101|≥ $0.500000|0|-',
      '|tool search|1|20|1|21|$0.100000|0|1.0 s',
      '|openai/gpt-4o|1|20|1|21|$0.100000|0|-',
      'TOTAL|2|120|2|122|≥ $0.600000|0|5.0 s',
    ]);
    assert.match(err, /Run run-1: 2025-03-01T17:59:59/);
    assert.match(err, /50\.0 % of the token counts are estimates/);
    assert.match(err, /at least what is shown: 1 call has parts without a price/);
    const json = await report('--run', 'run-1', '--json');
    assert.equal((JSON.parse(json.out) as { steps: unknown[] }).steps.length, 1);
    const grouped = await report('tool', '--run', 'run-1', '--since', '2025-01-01');
    assert.match(grouped.out, /^search +1 /m);
    const none = await report('--run', 'run-9');
    assert.equal(none.code, 1);
    assert.match(none.err, /No calls of the run run-9 are recorded/);
  });

  it('prints a table with a total, columns in line, and what the numbers leave out', async () => {
    const { out, err, code } = await report('user', ...range);
    assert.equal(code, 0);
    const lines = out.trimEnd().split('\n');
    assert.match(
      lines[0] ?? '',
      /^user +calls +input +cached +output +total +share +cost +errors +mean$/,
    );
    assert.match(lines[1] ?? '', /^小明 +2 +1,500 +- +2 +1,502 +83.3 % +\$0.750000 +0 +1.2 s$/);
    assert.match(lines[2] ?? '', /^alice\uFFFD\[2J +1 +300 .* - +0 +1.2 s$/);
    assert.match(lines[4] ?? '', /^TOTAL +4 +1,800 .*\$0.750000 +1 /);
    assert.ok(!out.includes('\u001B'));
    assert.match(err, /3 users, 0 conversations/);
    assert.match(err, /genai-prices \d.*of 2\d{3}-\d\d-\d\d/);
    assert.match(err, /Calls without a price.*acme\/house-model \(1\)/);
  });

  it('cuts days in the time zone asked for', async () => {
    const { out } = await report('daily', ...range.slice(0, 4), '--tz', 'Asia/Shanghai', '--json');
    const { rows, from } = JSON.parse(out) as {
      from: string;
      rows: { day: string; calls: number }[];
    };
    assert.equal(from, '2026-10-31T16:00:00.000Z');
    assert.deepEqual(
      rows.map(({ day, calls }) => [day, calls]),
      [
        ['2026-11-01', 2],
        ['2026-11-02', 1],
      ],
    );
  });

  it('compares keys and the total with the period before, not its hours and days', async () => {
    const second = ['--since', '2026-11-02', '--until', '2026-11-03', '--tz', 'UTC', '--compare'];
    const byModel = (await report('model', ...second)).out.trimEnd().split('\n');
    assert.match(byModel[0] ?? '', / change$/);
    assert.match(byModel.find((line) => line.startsWith('house-model')) ?? '', / new$/);
    assert.match(byModel.at(-1) ?? '', /^TOTAL .* -80.0 %$/);
    const byDay = (await report('day', ...second)).out.trimEnd().split('\n');
    assert.match(byDay[1] ?? '', /^2026-11-02 .* -$/);
    assert.match(byDay.at(-1) ?? '', /^TOTAL .* -80.0 %$/);
  });

  it('prints JSON with the price list and the models that have no price', async () => {
    const { out } = await report('--by', 'model', ...range, '--json', '--compare');
    const document = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual(document['group_by'], ['model']);
    assert.deepEqual(document['unpriced'], [{ provider: 'acme', model: 'house-model', calls: 1 }]);
    assert.equal((document['total'] as { total_tokens: number }).total_tokens, 1803);
    assert.ok(document['previous']);
    assert.ok((document['prices'] as { name: string }).name.startsWith('genai-prices'));
  });

  it('groups and filters by team and dimensions, by their short names where configured', async () => {
    const lastYear = ['--since', '2025-11-01', '--until', '2025-11-02', '--tz', 'UTC', '--csv'];
    const rows = async (env: Record<string, string>, ...args: string[]): Promise<string[]> => {
      const io = memoryIo(env);
      const code = await dispatch(['report', ...args, ...lastYear, '--sqlite', path], io);
      assert.equal(code, 0, io.err());
      return io.out().trimEnd().split('\r\n');
    };
    const [head = '', ...teams] = await rows({}, 'team');
    assert.match(head, /^team,calls,.*,blocked$/);
    assert.deepEqual(teams.length, 1);
    assert.match(teams[0] ?? '', /^sea,2,0,0,7,.*,1$/);
    const env = { TOKEN_METER_DIMENSIONS: 'feature' };
    for (const [given, ...args] of [
      [{}, 'dimension.feature'],
      [env, 'feature'],
      [env, '--by', 'feature'],
    ] as const) {
      const [title, ...features] = await rows(given, ...args);
      assert.match(title ?? '', /^dimension\.feature,calls/);
      assert.deepEqual(features.map((row) => row.split(',', 2).join()).toSorted(), [
        ',1',
        'search,1',
      ]);
    }
    for (const [args, calls] of [
      [['--team', 'sea'], '2'],
      [['--team', ''], '0'],
      [['--dimension', 'feature=search'], '1'],
      [['--dimension', 'feature='], '1'],
      [['--dimension', 'feature=search', '--dimension', 'feature='], '2'],
    ] as const) {
      const [, total = ''] = await rows({}, ...args);
      assert.equal(total.split(',')[0], calls, args.join(' '));
    }
    for (const args of [['--dimension', 'search'], ['--by', 'feature'], ['dimension.Feature']]) {
      const { code, err } = await report(...args, ...range);
      assert.notEqual(code, 0);
      assert.match(err, /dimension/);
    }
  });

  it('prints CSV that no spreadsheet runs, and no total among the rows', async () => {
    const { out } = await report('user', ...range, '--csv');
    const lines = out.trimEnd().split('\r\n');
    assert.match(lines[0] ?? '', /^user,calls,errors,aborted,input_tokens,/);
    assert.equal(lines.length, 4);
    assert.ok(lines.some((line) => line.startsWith("'=1+1,1,1,")));
  });

  it('converts to another currency at a rate that is shown', async () => {
    const prices = join(folder, 'prices.json');
    writeFileSync(prices, '{"usdPer": {"EUR": {"rate": 1.25, "date": "2026-11-01"}, "CAD": 0.5}}');
    const env = { TOKEN_METER_PRICES_FILE: prices };
    const shown = async (more: Record<string, string>, ...args: string[]) => {
      const io = memoryIo({ ...env, ...more });
      const code = await dispatch(['report', 'user', ...range, '--sqlite', path, ...args], io);
      return { code, out: io.out(), err: io.err() };
    };
    const table = await shown({ TOKEN_METER_CURRENCY: 'EUR' });
    assert.match(table.out, /TOTAL .* €0\.600000 /);
    assert.match(table.err, /Amounts in EUR at 1\.25 US dollars of 2026-11-01\n/);
    // Another dollar must not look like the US dollar.
    assert.match((await shown({}, '--currency', 'cad')).out, /TOTAL .* CA\$1\.50 /);
    const csv = await shown({}, '--csv', '--currency', 'EUR');
    const [head = '', first = ''] = csv.out.split('\r\n');
    assert.match(head, /,cost_usd,.*,cost,currency,usd_per_unit,rate_date$/);
    assert.match(first, /^小明,.*,0\.6,EUR,1\.25,2026-11-01$/);
    const json = JSON.parse((await shown({}, '--json', '--currency', 'EUR')).out) as {
      total: { cost_usd: number };
      currency: object;
    };
    assert.equal(json.total.cost_usd, 0.75, 'US dollars are what is stored');
    assert.deepEqual(json.currency, { code: 'EUR', usd_per_unit: 1.25, date: '2026-11-01' });
    const wrong = await shown({}, '--currency', 'CHF');
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /currency CHF has no rate in usdPer .*\(allowed: USD, EUR, CAD\)/);
  });

  it('filters, limits and orders', async () => {
    const { out } = await report(
      'user',
      ...range,
      '--model',
      'gpt-4o',
      '--limit',
      '1',
      '--metric',
      'calls',
      '--json',
    );
    const { rows } = JSON.parse(out) as {
      rows: { user: string; calls: number; is_other?: true }[];
    };
    assert.deepEqual(
      rows.map(({ user, calls }) => [user, calls]),
      [
        ['小明', 2],
        ['(other)', 1],
      ],
    );
  });

  it('says what is wrong', async () => {
    const wrong = await report('colour');
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /groupBy must be one of user, model/);
    assert.match((await report('--since', 'yesterday')).err, /invalid time "yesterday"/);
    assert.match((await report('--limit', 'x')).err, /--limit is not valid/);
    assert.equal((await report('--nonsense')).code, 2);
    const io = memoryIo({ TOKEN_METER_PROVIDER: 'otlp' });
    assert.equal(await dispatch(['report'], io), 1);
    assert.match(io.err(), /otlp cannot be read/);
    const missing = memoryIo({ TOKEN_METER_SQLITE_PATH: join(folder, 'none.db') });
    assert.equal(await dispatch(['report'], missing), 1);
    assert.match(missing.err(), /none\.db: there is no such file/);
  });

  describe('of costs', () => {
    let costs: string;
    before(() => {
      costs = join(folder, 'costs.db');
      const file = new LedgerFile({ path: costs, busyTimeoutMs: 1000 });
      const gpt = { requestModel: 'gpt-4o', userId: 'alice', conversationId: 'c-1' };
      const tokens = {
        inputTokens: 1000,
        outputTokens: 100,
        totalTokens: 1100,
        tokenSource: 'provider' as const,
      };
      file.write([
        usageRecord('2026-11-01T10:00:00Z', {
          ...gpt,
          ...tokens,
          cacheReadTokens: 400,
          costUsd: 0.003,
          costSource: 'list',
        }),
        usageRecord('2026-11-01T10:00:05Z', {
          ...gpt,
          ...tokens,
          outcome: 'aborted',
          tokenSource: 'estimated',
          costUsd: 0.0035,
          costSource: 'estimated',
        }),
        usageRecord('2026-11-01T10:00:20Z', {
          ...gpt,
          ...tokens,
          costUsd: 0.0035,
          costSource: 'list',
          costMissing: ['priority_tier'],
          serviceTier: 'priority',
        }),
      ]);
      file.close();
    });
    const all = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
      const io = memoryIo();
      const code = await dispatch(['report', ...range, ...args, '--sqlite', costs], io);
      return { code, out: io.out(), err: io.err() };
    };

    it('marks a sum that is a lower bound, and says of how many calls', async () => {
      const { out, err } = await all();
      assert.match(out, /≥ \$0\.010000/);
      assert.match(err, /The cost is at least what is shown: 1 call has parts without a price/);
    });

    it('prints what caching saved and what aborted calls cost', async () => {
      const { out, code } = await all('--savings');
      assert.equal(code, 0);
      assert.match(out, /What caching saved.*\nby +calls +reads saved +writes cost more +saved\n/);
      assert.match(out, /\nmodel +gpt-4o +1 +\$0\.000500 +\$0\.000000 +\$0\.000500\n/);
      assert.match(out, /\nuser +alice +1 /);
      assert.match(out, /\naborted +1 +\$0\.003500 +1 +0 +1 +\$0\.003500\n/);
    });

    it('prints what was used beside tokens, by model and unit', async () => {
      const units = join(folder, 'units.db');
      const file = new LedgerFile({ path: units, busyTimeoutMs: 1000 });
      const openai = { provider: 'openai', userId: 'alice' };
      const used = (time: string, model: string, attributes: object, userId = 'alice') =>
        usageRecord(time, {
          ...openai,
          userId,
          requestModel: model,
          attributes: attributes as Record<string, number>,
        });
      file.write([
        used('2026-11-01T10:00:00Z', 'whisper-1', { 'token_meter.usage.audio_input_seconds': 0.1 }),
        used('2026-11-01T10:00:01Z', 'whisper-1', { 'token_meter.usage.audio_input_seconds': 0.2 }),
        used('2026-11-01T10:00:02Z', 'gpt-image-1', { 'token_meter.usage.generated_images': 3 }),
        used('2026-11-01T10:00:03Z', 'gpt-4o', { 'gen_ai.usage.audio.input_tokens': 7 }),
        used('2026-11-01T10:00:04Z', '=1+1', { 'token_meter.usage.pages': 5 }, 'bob'),
      ]);
      file.close();
      const report = async (...args: string[]): Promise<string> => {
        const io = memoryIo();
        const code = await dispatch(
          ['report', ...range, ...args, '--units', '--sqlite', units],
          io,
        );
        assert.equal(code, 0);
        return io.out();
      };
      assert.match(
        await report(),
        new RegExp(
          [
            '\\nWhat was used beside tokens\nprovider +model +unit +amount',
            'openai +=1\\+1 +pages +5',
            'openai +gpt-image-1 +generated_images +3',
            'openai +whisper-1 +audio_input_seconds +0.3\n$',
          ].join('\n'),
        ),
      );
      assert.match(await report('--user', 'carol'), /Beside tokens nothing was used/);
      const json = JSON.parse(await report('--user', 'alice', '--json')) as { units: unknown };
      assert.deepEqual(json.units, [
        { provider: 'openai', model: 'gpt-image-1', unit: 'generated_images', amount: 3 },
        {
          provider: 'openai',
          model: 'whisper-1',
          unit: 'audio_input_seconds',
          amount: 0.3,
        },
      ]);
      assert.match(
        await report('--csv'),
        /^provider,model,unit,amount\r?\nopenai,'=1\+1,pages,5\r?\n/,
      );
    });

    it('prints what other models would have cost, and what it cannot say', async () => {
      const { out } = await all(
        '--what-if',
        'gpt-4o=gpt-4.1-mini',
        '--what-if',
        'gpt-4o=no-such-model',
        '--what-if',
        'o3=gpt-4o',
      );
      assert.match(out, /gpt-4\.1-mini in place of gpt-4o\n3 of 3 calls, the same token counts/);
      // 2,600 × 2.5 + 400 × 1.25 + 300 × 10, and 2,600 × 0.4 + 400 × 0.1 + 300 × 1.6
      assert.match(out, /\nTOTAL +\$0\.010000 +\$0\.001560 +\$0\.008440\n/);
      assert.match(out, /\ncache reads +\$0\.000500 +\$0\.000040 +\$0\.000460\n/);
      assert.match(out, /At least: no price of gpt-4o for priority_tier \(1\)/);
      assert.match(out, /Replies of another model may be longer or shorter/);
      assert.match(
        out,
        /no-such-model in place of gpt-4o\nNone of 3 calls can be compared\.\n3 calls have no price for no-such-model/,
      );
      assert.match(out, /No calls of o3 in this range/);
    });

    it('prints them as JSON and CSV', async () => {
      const json = JSON.parse((await all('--what-if', 'gpt-4o=gpt-4.1-mini', '--json')).out) as {
        total: { calls: number; partial_cost_calls: number };
        costs: {
          caching: { saved_usd: number; by_user: { user: string }[] };
          aborted: { cost_usd: number; retried: { calls: number } };
          what_if: { cost_then_usd: number; by_kind_then: object; missing: object }[];
        };
      };
      assert.deepEqual([json.total.calls, json.total.partial_cost_calls], [3, 1]);
      assert.equal(json.costs.caching.saved_usd, 0.0005);
      assert.deepEqual(
        json.costs.caching.by_user.map(({ user }) => user),
        ['alice'],
      );
      assert.deepEqual(
        [json.costs.aborted.cost_usd, json.costs.aborted.retried.calls],
        [0.0035, 1],
      );
      assert.partialDeepStrictEqual(json.costs.what_if[0], {
        cost_usd: 0.01,
        cost_then_usd: 0.00156,
        by_kind_then: { cache_reads: 0.00004 },
        missing: { priority_tier: 1 },
      });
      const csv = (await all('--what-if', 'gpt-4o=gpt-4.1-mini', '--csv')).out.split('\r\n');
      assert.equal(
        csv[0],
        'section,name,calls,cost_usd,cost_then_usd,saved_usd,partial_cost_calls,unpriced_calls,missing',
      );
      assert.ok(csv.includes('caching_by_model,gpt-4o,1,,,0.0005,,0,'));
      assert.ok(csv.includes('aborted,,1,0.0035,,,0,0,'));
      assert.ok(
        csv.includes('what_if,gpt-4o=gpt-4.1-mini,3,0.01,0.00156,0.00844,,0,priority_tier'),
        csv.join('\n'),
      );
    });

    it('refuses what is no comparison', async () => {
      for (const text of ['gpt-4o', '=gpt-4o', 'gpt-4o=', 'a=b=c', '']) {
        const { code, err } = await all('--what-if', text);
        assert.equal(code, 1, text);
        assert.match(err, /--what-if is not valid.*gpt-4o=gpt-4\.1-mini/, text);
      }
    });
  });
});
