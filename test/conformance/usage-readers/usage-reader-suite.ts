import assert from 'node:assert/strict';
import type { UsageGroup, UsageQuery, UsageReader } from '../../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { usageRecord } from '../../support/usage-logs.ts';
import { mixedRecords, randomOf } from '../../support/usage-ledger.ts';
import { rowsOf, sumOf } from '../../support/usage-oracle.ts';
import { near, agree, agreePercentiles, agreeRows, keyOf } from './usage-agreement.ts';

/** What a reader is tried on: its store, filled with the records. */
export interface ReaderUnderTest {
  readonly reader: UsageReader;
  close(): Promise<void>;
}

const FROM = Date.parse('2026-10-22T20:17:31.250Z');
const TO = Date.parse('2026-10-28T04:41:07.750Z');
const GROUPINGS: readonly (readonly UsageGroup[])[] = [
  ['user'],
  ['model'],
  ['conversation'],
  ['provider'],
  ['outcome'],
  ['service'],
  ['hour'],
  ['day'],
  ['user', 'model'],
  ['conversation', 'user'],
  ['provider', 'outcome'],
  ['day', 'model'],
  ['user', 'day'],
  ['hour', 'service'],
  ['team'],
  ['error'],
  ['dimension.feature'],
  ['dimension.nobody_has'],
  ['dimension.feature', 'dimension.tenant'],
  ['user', 'dimension.tenant'],
  ['day', 'team'],
  ['error', 'model'],
  ['dimension.feature', 'hour'],
  ['agent'],
  ['run'],
  ['tool'],
  ['run', 'agent'],
  ['agent', 'tool'],
  ['tool', 'model'],
  ['day', 'agent'],
];

const CROWD = { from: new Date('2026-08-01'), to: new Date('2026-08-03') };

/** A conversation a call, each with tokens of its own but for every seventh, which has none. */
function crowdedRecords(count: number): UsageRecord[] {
  const order = randomOf(3);
  return Array.from({ length: count }, (_, index) => {
    const tokens = Math.floor(order() * 1e6) * 30_000 + index;
    return usageRecord(CROWD.from.getTime() + index * 8000, {
      conversationId: `crowd-${index}`,
      ...(index % 7 !== 0 && { inputTokens: tokens, outputTokens: 0, totalTokens: tokens }),
    });
  });
}

const MODELS = { from: new Date('2026-08-10'), to: new Date('2026-08-11') };
/** The path of a file as a name of 303 characters, two that differ at the end only, one with a line break. */
const LONG_MODELS = ['/'.repeat(302) + 'a', '/'.repeat(302) + 'b', 'two\nlines', 'ü'.repeat(200)];

// Once, since each record has an id of its own: suites may share a filled store.
const records = mixedRecords(900, FROM - 86_400_000, TO + 86_400_000);
const crowd = crowdedRecords(21_000);
const longModels = ['gpt-4o', ...LONG_MODELS].map((requestModel, i) =>
  usageRecord(MODELS.from.getTime() + i * 1000, { requestModel, inputTokens: i }),
);

/** The same promises for every store. */
export function usageReaderSuite(
  name: string,
  open: (this: Mocha.Context, records: readonly UsageRecord[]) => Promise<ReaderUnderTest>,
): void {
  describe(`${name} keeps the promises of a usage reader`, () => {
    const range = { from: new Date(FROM), to: new Date(TO) };
    const inRange = records.filter(({ time }) => Date.parse(time) >= FROM && Date.parse(time) < TO);
    let test: ReaderUnderTest;
    let reader: UsageReader;

    before(async function () {
      test = await open.call(this, [...crowd, ...longModels, ...records]);
      ({ reader } = test);
    });
    after(async () => await test?.close());

    const expect = (query: UsageQuery, where?: (record: UsageRecord) => boolean) =>
      rowsOf(records, {
        fromMs: query.from.getTime(),
        toMs: query.to.getTime(),
        groupBy: query.groupBy ?? [],
        ...(query.timeZone !== undefined && { timeZone: query.timeZone }),
        ...(where !== undefined && { where }),
      });

    it('sums up a range', async () => {
      const { rows, total, other } = await reader.summary(range);
      assert.deepEqual(rows, []);
      assert.equal(other, undefined);
      agree(total, inRange);
    });

    for (const groupBy of GROUPINGS) {
      it(`groups by ${groupBy.join(' and ')}`, async () => {
        const query = { ...range, groupBy, limit: 1000 };
        const { rows, total } = await reader.summary(query);
        agreeRows(rows, expect(query), groupBy);
        agree(total, inRange);
      });
    }

    for (const timeZone of ['Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns', 'Asia/Shanghai']) {
      it(`cuts hours and days as ${timeZone} does`, async () => {
        for (const groupBy of [['day'], ['hour'], ['day', 'model']] as const) {
          const query = { ...range, groupBy, timeZone, limit: 1000 };
          const { rows } = await reader.summary(query);
          agreeRows(rows, expect(query), groupBy);
        }
      });
    }

    it('gives the longest day of the year 25 hours', async () => {
      const { rows } = await reader.summary({
        from: new Date('2026-10-24T22:00:00Z'),
        to: new Date('2026-10-25T23:00:00Z'),
        groupBy: ['hour'],
        timeZone: 'Europe/Berlin',
      });
      const twice = rows
        .map(({ hour }) => hour)
        .filter((hour) => hour?.startsWith('2026-10-25T02'));
      assert.deepEqual(twice, ['2026-10-25T02:00+02:00', '2026-10-25T02:00+01:00']);
      assert.equal(rows.length, 25);
    });

    it('orders rows by the metric, largest first, and tells their share', async () => {
      const { rows, total } = await reader.summary({
        ...range,
        groupBy: ['user'],
        orderBy: 'costUsd',
      });
      const costs = rows.map(({ costUsd }) => costUsd ?? -1);
      assert.deepEqual(
        costs,
        costs.toSorted((a, b) => b - a),
      );
      near(rows[0]?.share, (rows[0]?.costUsd ?? 0) / (total.costUsd ?? 1), 'share');
      const rising = await reader.summary({
        ...range,
        groupBy: ['user'],
        orderBy: 'calls',
        order: 'asc',
      });
      const calls = rising.rows.map((row) => row.calls);
      assert.deepEqual(
        calls,
        calls.toSorted((a, b) => a - b),
      );
    });

    it('folds everything beyond the limit into (other)', async () => {
      for (const groupBy of [['conversation'], ['user'], ['model']] as const) {
        const query = { ...range, groupBy, limit: 2 };
        const { rows, other, total } = await reader.summary(query);
        const sorted = expect(query).toSorted(
          (a, b) =>
            (sumOf(b.records, 'totalTokens') ?? -1) - (sumOf(a.records, 'totalTokens') ?? -1),
        );
        const [group] = groupBy;
        assert.deepEqual(
          rows.map((row) => row[group]),
          [...sorted.slice(0, 2).map(({ key }) => key[0]), '(other)'],
        );
        assert.equal(rows[2]?.isOther, true);
        const rest = sorted.slice(2).flatMap((row) => row.records);
        agree(rows[2], rest);
        agree(other, rest);
        agree(total, inRange);
      }
    });

    it('finds the first of more values than it may hold at once', async () => {
      const query = { ...CROWD, groupBy: ['conversation'] as const, limit: 3 };
      const { rows, other, total } = await reader.summary(query);
      const sorted = crowd.toSorted((a, b) => (b.totalTokens ?? -1) - (a.totalTokens ?? -1));
      assert.deepEqual(
        rows.map(({ conversation }) => conversation),
        [...sorted.slice(0, 3).map(({ conversationId }) => conversationId), '(other)'],
      );
      agree(other, sorted.slice(3));
      agree(total, crowd);
      const byDay = await reader.summary({ ...query, groupBy: ['conversation', 'day'] });
      agree(byDay.other, sorted.slice(3));
      const last = await reader.summary({ ...query, order: 'asc', limit: 1 });
      assert.equal(
        last.rows[0]?.conversation,
        sorted.findLast((one) => one.totalTokens !== undefined)?.conversationId,
      );
    });

    it('names the same values in every bucket, by their rank over the whole range', async () => {
      const query = { ...range, groupBy: ['day', 'user'] as const, limit: 2 };
      const { rows, other } = await reader.summary(query);
      const top = await reader.summary({ ...range, groupBy: ['user'], limit: 2 });
      const names = new Set(rows.filter(({ isOther }) => !isOther).map(({ user }) => user));
      assert.deepEqual(
        names,
        new Set(top.rows.filter((row) => !row.isOther).map((row) => row.user)),
      );
      const starts = rows.map(({ start }) => start ?? '');
      assert.deepEqual(starts, starts.toSorted());
      near(
        rows.filter(({ isOther }) => isOther).reduce((sum, row) => sum + row.calls, 0),
        other?.calls,
        'other',
      );
    });

    it('compares with the period before', async () => {
      const from = new Date(FROM + 3 * 86_400_000);
      const to = new Date(FROM + 4 * 86_400_000);
      const query = { from, to, groupBy: ['model'] as const, compare: 'previous' as const };
      const { rows, previous } = await reader.summary(query);
      const before = { ...query, from: new Date(FROM + 2 * 86_400_000), to: from };
      agree(previous, expect({ ...before, groupBy: [] })[0]?.records ?? []);
      for (const row of rows) {
        agree(
          row.previous,
          expect(before, ({ requestModel }) => requestModel === row.model)[0]?.records ?? [],
        );
      }
    });

    it('tells percentiles within 1 %', async () => {
      for (const groupBy of [[], ['model'], ['user'], ['conversation'], ['day']] as const) {
        const query = { ...range, groupBy, percentiles: true, limit: 200 };
        const { rows, total } = await reader.summary(query);
        agreePercentiles(total, inRange);
        agree(total, inRange);
        const byKey = new Map(expect(query).map((row) => [JSON.stringify(row.key), row.records]));
        for (const row of rows) agreePercentiles(row, byKey.get(keyOf(row, groupBy)) ?? []);
      }
    });

    it('folds teams and values of a dimension beyond the limit into (other)', async () => {
      for (const groupBy of [['team'], ['dimension.feature'], ['day', 'team']] as const) {
        const query = { ...range, groupBy, limit: 2, orderBy: 'calls' as const };
        const { rows, other, total } = await reader.summary(query);
        const named = new Set(
          rows.filter(({ isOther }) => !isOther).map((row) => row[groupBy.at(-1) ?? 'team']),
        );
        assert.equal(named.size, 2);
        const calls = (of: readonly { readonly calls: number }[]): number =>
          of.reduce((sum, row) => sum + row.calls, 0);
        assert.equal(calls(rows.filter(({ isOther }) => isOther)), other?.calls);
        assert.equal(calls(rows), total.calls);
      }
    });

    it('counts different users and conversations', async () => {
      const { total } = await reader.summary({ ...range, distinct: true });
      assert.equal(total.users, new Set(inRange.flatMap(({ userId }) => userId ?? [])).size);
      assert.equal(
        total.conversations,
        new Set(inRange.flatMap(({ conversationId }) => conversationId ?? [])).size,
      );
    });

    const filters: readonly [UsageQuery['filter'], (record: UsageRecord) => boolean][] = [
      [{ user: "o'Brien" }, ({ userId }) => userId === "o'Brien"],
      [
        { user: [null, '用户', 'back\\slash'] },
        ({ userId = null }) => [null, '用户', 'back\\slash'].includes(userId),
      ],
      [{ user: null }, ({ userId }) => userId === undefined],
      [{ model: ['gpt-4o', 'none'] }, ({ requestModel }) => requestModel === 'gpt-4o'],
      [{ conversation: 'c-3' }, ({ conversationId }) => conversationId === 'c-3'],
      [{ conversation: null }, ({ conversationId }) => conversationId === undefined],
      [
        { conversation: ['c-1', null] },
        ({ conversationId = null }) => ['c-1', null].includes(conversationId),
      ],
      [
        { outcome: 'ok', service: 'batch "night"', provider: 'openai' },
        (one) =>
          one.outcome === 'ok' && one.service === 'batch "night"' && one.provider === 'openai',
      ],
      [{ team: "o'Brien & co" }, ({ team }) => team === "o'Brien & co"],
      [{ team: ['团队', null] }, ({ team = null }) => ['团队', null].includes(team)],
      [{ team: null }, ({ team }) => team === undefined],
      [{ team: '(other)' }, ({ team }) => team === '(other)'],
      [{ team: [] }, () => false],
      [{ agent: 'reader\\' }, ({ agentName }) => agentName === 'reader\\'],
      [{ agent: ['guide', null] }, ({ agentName }) => agentName !== 'reader\\'],
      [{ run: 'run "3"' }, ({ runId }) => runId === 'run "3"'],
      [{ run: null }, ({ runId }) => runId === undefined],
      [{ tool: "look'up, 查" }, ({ toolName }) => toolName === "look'up, 查"],
      [
        { tool: null, agent: 'guide', model: 'gpt-4o' },
        (one) =>
          one.toolName === undefined && one.agentName === 'guide' && one.requestModel === 'gpt-4o',
      ],
      [
        { dimensions: { feature: ['ä"\\', 'two\nlines', 'x'.repeat(256)] } },
        ({ dimensions }) =>
          ['ä"\\', 'two\nlines', 'x'.repeat(256)].includes(dimensions?.['feature'] ?? ''),
      ],
      [{ dimensions: { feature: '(other)' } }, (one) => one.dimensions?.['feature'] === '(other)'],
      [{ dimensions: { feature: null } }, (one) => one.dimensions?.['feature'] === undefined],
      [
        { team: 'search', dimensions: { feature: 'summary', tenant: [null, 't-3'] } },
        ({ team, dimensions }) =>
          team === 'search' &&
          dimensions?.['feature'] === 'summary' &&
          [undefined, 't-3'].includes(dimensions['tenant']),
      ],
      [{ dimensions: { nobody_has: null } }, () => true],
      [{ dimensions: { nobody_has: 'x' } }, () => false],
      [{ outcome: 'blocked' }, ({ outcome }) => outcome === 'blocked'],
      [{ error: 'rate_limit' }, ({ errorType }) => errorType === 'rate_limit'],
      [
        { error: ['budget_exceeded', null] },
        ({ errorType }) => errorType === undefined || errorType === 'budget_exceeded',
      ],
      [{ user: [] }, () => false],
      [{ model: "x' OR ''='" }, () => false],
      [{ user: 'a\rb' }, () => false],
      [{ conversation: 'nul\u0000 \r\n \\' }, () => false],
      [{ user: "o'Brien" }, ({ userId }) => userId === "o'Brien"],
      [
        { user: ['back\\slash', '用户'] },
        ({ userId }) => ['back\\slash', '用户'].includes(userId ?? ''),
      ],
    ];
    for (const [filter, where] of filters) {
      it(`keeps only calls of ${JSON.stringify(filter)}`, async () => {
        const { total } = await reader.summary({ ...range, filter: filter ?? {} });
        agree(total, inRange.filter(where));
        const page = await reader.records({ ...range, filter: filter ?? {}, limit: 1000 });
        assert.deepEqual(
          page.records.map(({ id }) => id),
          inRange
            .filter(where)
            .map(({ id }) => id)
            .toReversed(),
        );
      });
    }

    it('groups by and filters models whose names are longer than a tag', async () => {
      const { rows } = await reader.summary({ ...MODELS, groupBy: ['model'] });
      assert.deepEqual(
        new Set(rows.map(({ model }) => model)),
        new Set(['gpt-4o', ...LONG_MODELS]),
      );
      for (const record of longModels) {
        const filter = { model: record.requestModel };
        const { total } = await reader.summary({ ...MODELS, filter });
        agree(total, [record]);
        assert.deepEqual((await reader.records({ ...MODELS, filter })).records, [record]);
      }
    });

    it('gives back every record as it was, newest first, page by page', async () => {
      const seen: UsageRecord[] = [];
      let cursor: string | undefined;
      do {
        const from = new Date(FROM - 86_400_000);
        const page = await reader.records({
          from,
          limit: 400,
          ...(cursor !== undefined && { cursor }),
        });
        seen.push(...page.records);
        ({ cursor } = page);
      } while (cursor !== undefined);
      assert.deepEqual(seen, records.toReversed());
    });

    it('tells a conversation from its first call to its last', async () => {
      const wanted = records.filter(({ conversationId }) => conversationId === 'c-5');
      const conversation = await reader.conversation('c-5');
      assert.deepEqual(conversation.records, wanted);
      assert.equal(conversation.truncated, false);
      agree(conversation.total, wanted);
      agreePercentiles(conversation.total, wanted);
      assert.deepEqual(await reader.conversation('none'), {
        id: 'none',
        records: [],
        truncated: false,
      });
    });

    it('answers an empty range with no rows and no invented zeros', async () => {
      const query = {
        from: new Date('2020-01-01'),
        to: new Date('2020-02-01'),
        groupBy: ['user'] as const,
      };
      const { rows, total } = await reader.summary({ ...query, percentiles: true });
      assert.deepEqual(rows, []);
      assert.equal(total.calls, 0);
      assert.equal(total.totalTokens, undefined);
      assert.equal(total.costUsd, undefined);
      assert.equal(total.durationP95Ms, undefined);
    });

    it('refuses a wrong query with INVALID_OPTION', async () => {
      const code = { code: 'INVALID_OPTION' };
      await assert.rejects(reader.summary({ ...range, to: range.from }), code);
      await assert.rejects(reader.summary({ ...range, groupBy: ['day', 'hour'] }), code);
      await assert.rejects(reader.summary({ ...range, limit: 0 }), code);
      await assert.rejects(reader.summary({ ...range, timeZone: 'Mars/Olympus' }), code);
      await assert.rejects(reader.records({ cursor: 'x' }), code);
      for (const name of ['Feature', "x' OR 1=1 --", '', 'constructor', 'x'.repeat(33)]) {
        await assert.rejects(reader.summary({ ...range, groupBy: [`dimension.${name}`] }), code);
        await assert.rejects(reader.records({ filter: { dimensions: { [name]: 'x' } } }), code);
      }
    });

    it('ends a query whose signal is aborted, with the reason of the signal', async () => {
      const reason = new Error('the client went away');
      await assert.rejects(reader.summary({ ...range, signal: AbortSignal.abort(reason) }), reason);
      const controller = new AbortController();
      const answer = reader.summary({
        ...range,
        groupBy: ['conversation'],
        signal: controller.signal,
      });
      controller.abort(reason);
      await assert.rejects(answer, reason);
      agree((await reader.summary(range)).total, inRange);
    });
  });
}
