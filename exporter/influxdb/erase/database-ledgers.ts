import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { BoundValues, LEDGER, name } from '../read/influxql.ts';
import { InfluxQueryClient, READ_TIMEOUT_MS } from '../read/query-client.ts';
import { USAGE_FIELDS, USAGE_MEASUREMENT } from '../usage-schema.ts';
import { PointDeleter, seriesCondition } from './point-deleter.ts';

interface Ledger {
  readonly target: ResolvedInfluxOptions;
  readonly client: InfluxQueryClient;
}

/** Owner of a call that a deletion would take along; null for none. */
type Owner = string | null;

/**
 * The ledgers that a deletion reaches: that of the bucket, and on 1.x, where `DELETE` knows no retention policy, those
 * of the other policies of the database.
 */
export class DatabaseLedgers {
  readonly #deleter: PointDeleter;
  readonly #isExact: boolean;
  /** That of the bucket first. */
  readonly all: readonly Ledger[];
  /** Buckets by all of their names: the default policy of a database has two. */
  readonly names: readonly string[];

  private constructor(
    all: readonly Ledger[],
    names: readonly string[],
    deleter: PointDeleter,
    isExact: boolean,
  ) {
    this.all = all;
    this.names = names;
    this.#deleter = deleter;
    this.#isExact = isExact;
  }

  /** Of a `client` of the same target, which is not closed with the others. */
  static async of(
    client: InfluxQueryClient,
    target: ResolvedInfluxOptions,
    signal: AbortSignal | undefined,
  ): Promise<DatabaseLedgers> {
    const isVersion1 = (await client.version()) === '1';
    const { others, names } = isVersion1
      ? await policiesBeside(client, target, signal)
      : { others: [], names: [target.bucket] };
    const beside = others.map((bucket) => {
      const { rollUpBucket: _, ...ofPolicy } = { ...target, bucket };
      return {
        target: ofPolicy,
        client: new InfluxQueryClient({ ...ofPolicy, timeoutMs: READ_TIMEOUT_MS }),
      };
    });
    const deleter = new PointDeleter(client, target);
    return new DatabaseLedgers([{ target, client }, ...beside], names, deleter, isVersion1);
  }

  /** Deletes points of one series, all of which are to go. `from` and `to` are RFC 3339, both inclusive. */
  async delete(tags: Readonly<Record<string, string>>, from: string, to: string): Promise<void> {
    await this.#deleter.delete({ measurement: USAGE_MEASUREMENT, tags, from, to });
  }

  /**
   * Whose calls the deletion of one point of a series takes along. 2.x cannot say that a series does not have a tag:
   * it deletes what has the others. Other policies of 1.x have a series of that name as well.
   */
  async owners(
    tags: Readonly<Record<string, string>>,
    time: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly Owner[]> {
    if (this.#isExact && this.all.length === 1) return [];
    const owners: Owner[] = [];
    for (const { client } of this.all) {
      const bound = new BoundValues();
      const where = [...seriesCondition(tags, bound, this.#isExact), `time = '${time}'`];
      const fields = [USAGE_FIELDS.calls, USAGE_FIELDS.user];
      // Without GROUP BY points of two series would be merged to one.
      const q = `SELECT ${fields.map(name).join(', ')} FROM ${LEDGER} WHERE ${where.join(' AND ')} GROUP BY *`;
      for await (const { columns, values } of client.query(q, { bound, signal })) {
        const [callsAt, userAt] = fields.map((field) => columns.indexOf(field)) as [number, number];
        for (const row of values) {
          const user = row[userAt];
          if (row[callsAt] !== null) owners.push(typeof user === 'string' ? user : null);
        }
      }
    }
    return owners;
  }

  close(): void {
    this.#deleter.close();
    for (const { client } of this.all.slice(1)) client.close();
  }
}

/** The other policies of the database, and the names of all. */
async function policiesBeside(
  client: InfluxQueryClient,
  { bucket }: ResolvedInfluxOptions,
  signal: AbortSignal | undefined,
): Promise<{ readonly others: readonly string[]; readonly names: readonly string[] }> {
  const [database = '', ...own] = bucket.split('/');
  const q = `SHOW RETENTION POLICIES ON "${database.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  const others: string[] = [];
  const names: string[] = [];
  for await (const { columns, values } of client.query(q, { signal, column: 'duration' })) {
    const [nameAt, defaultAt] = [columns.indexOf('name'), columns.indexOf('default')];
    for (const row of values) {
      const isDefault = row[defaultAt] === true;
      const policy = String(row[nameAt]);
      names.push(`${database}/${policy}`, ...(isDefault ? [database] : []));
      const isOwn = own.length === 0 ? isDefault : policy === own.join('/');
      if (!isOwn) others.push(isDefault ? database : `${database}/${policy}`);
    }
  }
  return { others, names };
}
