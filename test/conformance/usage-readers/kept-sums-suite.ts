import assert from 'node:assert/strict';
import type {
  UsageQuery,
  UsageReader,
  UsageSummary,
} from '../../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { rounded } from '../../support/rounded.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';
import type { ReaderUnderTest } from './usage-reader-suite.ts';

const DAY_MS = 86_400_000;
export const START_MS: number = Date.parse('2026-10-15T07:20:00Z');
/** Calls of the last five days are kept, from midnight on. */
export const KEPT_FROM = '2026-10-21T00:00:00Z';
const KEPT_MS = Date.parse(KEPT_FROM);

export const NOW_MS: number = Date.parse('2026-10-26T06:10:00Z');
export const RECORDS: readonly UsageRecord[] = mixedRecords(900, START_MS, NOW_MS);

/** A ledger of `RECORDS` whose calls before `KEPT_FROM` are gone, and whose sums are not. */
export interface LedgerOfKeptSums {
  readonly reader: UsageReader;
  /** Through the exporter. `expired`: dropped as `beyond_retention`. */
  write(
    records: readonly UsageRecord[],
  ): Promise<{ readonly stored: number; readonly expired: number }>;
  reprice(costUsd: number): Promise<unknown>;
  /** Compares all sums with the calls; returns the number of wrong hours. */
  verify(): Promise<number>;
  /** Sums up and removes what is due. */
  upkeep(): Promise<unknown>;
  /** Absent where a server deletes no calls. */
  readonly erase?: (userId: string) => Promise<unknown>;
  /** Removes sums, too. Absent where that is left to a person. */
  readonly removeSumsBefore?: (day: string) => Promise<unknown>;
  close(): Promise<unknown>;
}

export interface KeptSumsStore {
  /** A ledger of `RECORDS`, all of which are kept. */
  readonly openWhole: () => Promise<ReaderUnderTest>;
  readonly open: () => Promise<LedgerOfKeptSums>;
  /** The smallest part of a range that sums by user or conversation answer. */
  readonly usersBy: 'hour' | 'day';
  /** Whether users by days of another zone than UTC have sums. */
  readonly usersByLocalDay: boolean;
}

/** Sums that outlive their calls, on one store. */
export function keptSumsSuite(
  name: string,
  { openWhole, open, usersBy, usersByLocalDay }: KeptSumsStore,
): void {
  describe(`sums that outlive their calls, in ${name}`, () => {
    let opened: ReaderUnderTest;
    let whole: UsageReader;
    let ledger: LedgerOfKeptSums;

    before(async () => {
      opened = await openWhole();
      whole = opened.reader;
    });
    after(async () => await opened?.close());

    async function both(query: UsageQuery): Promise<readonly [UsageSummary, UsageSummary]> {
      return [await ledger.reader.summary(query), await whole.summary(query)];
    }

    describe('without changes', () => {
      before(async () => {
        ledger = await open();
      });
      after(async () => await ledger?.close());

      it('answer what they have, over every day', async () => {
        const left = RECORDS.filter(({ time }) => Date.parse(time) >= KEPT_MS);
        const { records } = await ledger.reader.records({ limit: 900 });
        assert.equal(records.length, left.length);
        assert.ok(left.length < RECORDS.length / 2);
        const range = { from: new Date('2026-10-16'), to: new Date(NOW_MS) };
        const days = { from: new Date('2026-10-22'), to: new Date('2026-10-25') };
        const questions: readonly Partial<UsageQuery>[] = [
          { distinct: true },
          { groupBy: ['day', 'model'], timeZone: 'Europe/Berlin' },
          { groupBy: ['hour'] },
          { groupBy: ['user'], orderBy: 'costUsd' },
          { groupBy: ['conversation'], limit: 3 },
          { groupBy: ['user', 'team'], filter: { team: [null, 'search'] } },
          { groupBy: ['model'], percentiles: true },
          { groupBy: ['dimension.feature'], filter: { outcome: 'ok' } },
          { ...days, groupBy: ['model'], compare: 'previous' },
        ];
        for (const question of questions) {
          const [now, before] = await both({ ...range, ...question });
          assert.deepEqual(rounded(now), rounded(before), JSON.stringify(question));
          assert.equal(now.missing, undefined);
        }
      });

      it('say of which parts they do not', async () => {
        const range = { from: new Date('2026-10-16'), to: new Date(NOW_MS) };
        const gone = [{ from: '2026-10-16T00:00:00.000Z', to: '2026-10-21T00:00:00.000Z' }];
        const byLocalDay = { groupBy: ['day', 'user'], timeZone: 'Europe/Berlin' } as const;
        for (const question of [
          { groupBy: ['user', 'model'] },
          { groupBy: ['error'] },
          { groupBy: ['user'], filter: { model: 'gpt-4o' } },
          { groupBy: ['user'], percentiles: true },
          { groupBy: ['agent'] },
          ...(usersByLocalDay ? [] : [byLocalDay]),
        ] as const) {
          const { missing } = await ledger.reader.summary({ ...range, ...question });
          assert.deepEqual(missing, gone, JSON.stringify(question));
        }
        // Parts of an hour, and where users have sums by day of a day.
        const from = new Date('2026-10-17T10:20:00Z');
        const hour = { from: '2026-10-17T10:20:00.000Z', to: '2026-10-17T11:00:00.000Z' };
        const ofUsers = usersBy === 'hour' ? hour : { ...hour, to: '2026-10-18T00:00:00.000Z' };
        for (const [question, part] of [
          [{}, hour],
          [{ groupBy: ['user'] }, ofUsers],
          [{ distinct: true }, ofUsers],
        ] as const) {
          const { missing } = await ledger.reader.summary({ ...range, ...question, from });
          assert.deepEqual(missing, [part], JSON.stringify(question));
        }
        // Of the previous period too; before the first call there is nothing to miss.
        const { missing } = await ledger.reader.summary({
          from: new Date('2026-10-21'),
          to: new Date('2026-10-25'),
          compare: 'previous',
          groupBy: ['error'],
        });
        assert.deepEqual(missing, [{ from: '2026-10-17T00:00:00.000Z', to: gone[0]?.to }]);
        const old = { from: new Date('2026-09-01'), to: new Date(START_MS - DAY_MS) };
        const before = await ledger.reader.summary({ ...old, groupBy: ['error'] });
        assert.equal(before.missing, undefined);
        // What is kept is whole.
        const late = {
          from: new Date(KEPT_MS),
          to: new Date(NOW_MS),
          groupBy: ['user', 'model'],
        } as const;
        const [kept, all] = await both(late);
        assert.deepEqual(rounded(kept), rounded(all));
      });
    });

    describe('through changes', () => {
      // One ledger for one change after the other, since it takes a store seconds to get there.
      before(async () => {
        ledger = await open();
      });
      after(async () => await ledger?.close());

      it('stay as they are after late calls, new prices, a verification and further rounds', async () => {
        const late = RECORDS.find(({ time }) => Date.parse(time) < KEPT_MS - DAY_MS);
        const fresh = RECORDS.at(-1);
        assert.ok(late !== undefined && fresh !== undefined);
        const written = await ledger.write([
          { ...late, id: 'late' },
          { ...fresh, id: 'fresh' },
        ]);
        assert.deepEqual(written, { stored: 1, expired: 1 });
        await ledger.reprice(0.5);
        await ledger.upkeep();
        assert.equal(await ledger.verify(), 0);
        await ledger.upkeep();
        const range = { from: new Date('2026-10-16'), to: new Date(KEPT_MS) };
        for (const groupBy of [['user'], ['hour', 'model']] as const) {
          const [now, before] = await both({ ...range, groupBy });
          assert.deepEqual(rounded(now), rounded(before));
        }
      });

      it('lose the name of an erased user, and none of his tokens', async function () {
        if (ledger.erase === undefined) return this.skip();
        const range = { from: new Date('2026-10-16'), to: new Date(KEPT_MS) };
        await ledger.reader.summary({ ...range, groupBy: ['user'] });
        await ledger.erase("o'Brien");
        const [now, before] = await both(range);
        assert.deepEqual(rounded(now), rounded(before));
        const of = async (reader: UsageReader, user: string | null): Promise<number> => {
          const { rows } = await reader.summary({ ...range, groupBy: ['user'] });
          return rows.find((row) => row.user === user)?.totalTokens ?? 0;
        };
        const erased = await of(whole, "o'Brien");
        assert.ok(erased > 0);
        assert.equal(await of(ledger.reader, "o'Brien"), 0);
        assert.equal(await of(ledger.reader, null), (await of(whole, null)) + erased);
      });

      it('go at last, and leave a mark that they were there', async function () {
        if (ledger.removeSumsBefore === undefined) return this.skip();
        await ledger.removeSumsBefore('2026-10-18');
        const { rows, missing } = await ledger.reader.summary({
          from: new Date('2026-10-16'),
          to: new Date(NOW_MS),
          groupBy: ['day'],
        });
        assert.equal(rows[0]?.day, '2026-10-18');
        assert.deepEqual(missing, [
          { from: '2026-10-16T00:00:00.000Z', to: '2026-10-18T00:00:00.000Z' },
        ]);
      });
    });
  });
}
