import assert from 'node:assert/strict';
import type {
  UsageFilter,
  UsageGroup,
  UsageMetric,
  UsageQuery,
  UsageReader,
} from '../../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { randomOf } from '../../support/usage-ledger.ts';
import { type OracleRow, rowsOf, sumOf } from '../../support/usage-oracle.ts';
import { agree, agreePercentiles, keyOf } from './usage-agreement.ts';

const DAY_MS = 86_400_000;
const GROUPS: readonly UsageGroup[] = [
  'user',
  'model',
  'conversation',
  'provider',
  'outcome',
  'service',
  'team',
  'error',
  'agent',
  'run',
  'tool',
  'dimension.feature',
  'hour',
  'day',
];
const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Chatham'];
const METRICS = ['calls', 'errors', 'inputTokens', 'totalTokens', 'costUsd', 'durationMs'] as const;

interface Question {
  readonly query: UsageQuery;
  readonly where: (record: UsageRecord) => boolean;
}

interface RandomQuestions {
  readonly seed?: number;
  /** Calls that tell ranges and values of filters. @default those of the ledger */
  readonly about?: readonly UsageRecord[];
}

/** Asks random questions and compares each answer with naive sums over the records. The seed is in every message. */
export async function askRandomly(
  reader: UsageReader,
  records: readonly UsageRecord[],
  count: number,
  { seed = Math.floor(Math.random() * 2 ** 31), about = records }: RandomQuestions = {},
): Promise<void> {
  const random = randomOf(seed);
  for (let number = 0; number < count; number++) {
    const { query, where } = questionOf(random, about);
    try {
      await compare(reader, records, query, where);
    } catch (error) {
      const asked = JSON.stringify(query);
      throw new Error(`question ${number} of seed ${seed}: ${asked}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

function questionOf(random: () => number, records: readonly UsageRecord[]): Question {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const times = records.map(({ time }) => Date.parse(time));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  // Half of them cut hours and days.
  const step = pick([1, DAY_MS / 24, DAY_MS]);
  const fromMs = Math.floor((first - DAY_MS + random() * (last - first)) / step) * step;
  const toMs =
    fromMs + Math.max(step, Math.ceil((random() * (last - first + DAY_MS)) / step) * step);
  const groups = [pick(GROUPS), pick(GROUPS)].slice(0, Math.floor(random() * 3));
  const isTime = (group: UsageGroup): boolean => group === 'hour' || group === 'day';
  const groupBy = [...new Set(groups)].filter(
    (group, i, all) => !isTime(group) || all.findIndex(isTime) === i,
  );
  const example = pick(records);
  const at = Date.parse(example.time);
  // A part is about an hour or two.
  const isShort = random() < 0.2;
  const filters: readonly [UsageFilter, (record: UsageRecord) => boolean][] = [
    [{}, () => true],
    [{}, () => true],
    [{ run: example.runId ?? null }, ({ runId }) => runId === example.runId],
    [{ user: example.userId ?? null }, ({ userId }) => userId === example.userId],
    [{ model: example.requestModel }, ({ requestModel }) => requestModel === example.requestModel],
    [
      { outcome: ['ok', 'error'], service: example.service },
      ({ outcome, service }) =>
        (outcome === 'ok' || outcome === 'error') && service === example.service,
    ],
    [
      { conversation: [example.conversationId ?? null, null] },
      ({ conversationId }) =>
        conversationId === undefined || conversationId === example.conversationId,
    ],
    [{ team: example.team ?? null }, ({ team }) => team === example.team],
    [{ error: example.errorType ?? null }, ({ errorType }) => errorType === example.errorType],
    [
      { dimensions: { feature: example.dimensions?.['feature'] ?? null } },
      ({ dimensions }) => dimensions?.['feature'] === example.dimensions?.['feature'],
    ],
  ];
  const [filter, where] = pick(filters);
  return {
    where,
    query: {
      from: new Date(isShort ? at - Math.floor(random() * 3_600_000) : fromMs),
      to: new Date(isShort ? at + 1 + Math.floor(random() * 3_600_000) : toMs),
      groupBy,
      filter,
      timeZone: pick(ZONES),
      orderBy: pick(METRICS),
      order: pick(['asc', 'desc'] as const),
      limit: pick([1, 3, 20, 1000]),
      percentiles: random() < 0.2 && !groupBy.includes('hour'),
      distinct: random() < 0.2,
    },
  };
}

async function compare(
  reader: UsageReader,
  records: readonly UsageRecord[],
  query: UsageQuery,
  where: (record: UsageRecord) => boolean,
): Promise<void> {
  const { groupBy = [], timeZone = 'UTC', percentiles = false, distinct = false } = query;
  const range = { fromMs: query.from.getTime(), toMs: query.to.getTime() };
  const { rows, total } = await reader.summary(query);
  const [all] = rowsOf(records, { ...range, groupBy: [], where });
  const asked = all?.records ?? [];
  agree(total, asked);
  if (percentiles) agreePercentiles(total, asked);
  if (distinct) {
    const users = new Set(asked.flatMap(({ userId }) => userId ?? []));
    const conversations = new Set(asked.flatMap(({ conversationId }) => conversationId ?? []));
    assert.deepEqual([total.users, total.conversations], [users.size, conversations.size]);
  }
  if (groupBy.length === 0) return;
  const expected = rowsOf(records, { ...range, groupBy, timeZone, where });
  const byKey = new Map(expected.map((row) => [JSON.stringify(row.key), row.records]));
  const named = rows.filter(({ isOther }) => isOther !== true);
  for (const row of named) {
    const key = keyOf(row, groupBy);
    agree(row, byKey.get(key) ?? assert.fail(`no calls of ${key}`));
    if (percentiles) agreePercentiles(row, byKey.get(key) ?? []);
    byKey.delete(key);
  }
  const rest = [...byKey.values()].flat();
  const others = rows.filter(({ isOther }) => isOther === true);
  assert.equal(
    others.reduce((sum, { calls }) => sum + calls, 0),
    rest.length,
    'calls of (other)',
  );
  if (groupBy.some((group) => group === 'hour' || group === 'day')) return;
  assert.equal(named.length, Math.min(query.limit ?? 20, expected.length), 'named rows');
  assertFirst(
    named.map((row) => row[query.orderBy ?? 'totalTokens'] as number | undefined),
    [...byKey].map(([, left]) => left),
    query,
  );
}

/** No row beyond the limit comes before a named one. */
function assertFirst(
  named: readonly (number | undefined)[],
  left: readonly OracleRow['records'][],
  { orderBy = 'totalTokens', order = 'desc' }: UsageQuery,
): void {
  const worst = named.at(-1);
  for (const records of left) {
    const value = metricOf(records, orderBy);
    if (value === undefined) continue;
    assert.ok(worst !== undefined, 'an unknown value before a known one');
    const isBefore = order === 'asc' ? value < worst - 1e-6 : value > worst + 1e-6;
    assert.ok(!isBefore, `${value} comes before ${worst}`);
  }
}

function metricOf(records: readonly UsageRecord[], metric: UsageMetric): number | undefined {
  if (metric === 'calls') return records.length;
  if (metric === 'errors') return records.filter(({ outcome }) => outcome === 'error').length;
  return sumOf(records, metric as Parameters<typeof sumOf>[1]);
}
