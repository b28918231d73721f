import { TokenMeterError } from '../../../src/errors.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { BoundValues, name } from '../read/influxql.ts';
import type { InfluxQueryClient } from '../read/query-client.ts';
import { InfluxTransport } from '../transport.ts';

/** A deletion opens every series of every shard. */
const DELETE_TIMEOUT_MS = 120_000;
const BEGIN = '1970-01-01T00:00:00Z';
const END = '2200-01-01T00:00:00Z';

/** Which points are to go. */
export interface Deletion {
  readonly measurement: string;
  /** Of their series. @default all */
  readonly tags?: Readonly<Record<string, string>>;
  /** A tag that their series do not have, where a database has others beside its bucket (1.x). @default any */
  readonly withoutTag?: string;
  /** RFC 3339, both inclusive. @default all */
  readonly from?: string;
  readonly to?: string;
}

/** Deletes points of 1.x and 2.x. */
export class PointDeleter {
  readonly #client: InfluxQueryClient;
  readonly #target: ResolvedInfluxOptions;
  readonly #transport: InfluxTransport;

  /** `client` of the same target. */
  constructor(client: InfluxQueryClient, target: ResolvedInfluxOptions) {
    this.#client = client;
    this.#target = target;
    this.#transport = new InfluxTransport(target.connection, { maxSockets: 1, holdsProcess: true });
  }

  /** Rejects with `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`. */
  async delete(deletion: Deletion): Promise<void> {
    const isVersion2 = (await this.#client.version()) === '2';
    await (isVersion2 ? this.#deleteFrom2(deletion) : this.#deleteFrom1(deletion));
  }

  close(): void {
    this.#transport.close();
  }

  async #deleteFrom1(deletion: Deletion): Promise<void> {
    const { measurement, tags, withoutTag, from = BEGIN, to = END } = deletion;
    const bound = new BoundValues();
    const series = seriesCondition(tags, bound, true);
    if (withoutTag !== undefined) series.push(`${name(withoutTag)} = ''`);
    const where = [...series, `time >= '${from}'`, `time <= '${to}'`].join(' AND ');
    const q = `DELETE FROM ${name(measurement)} WHERE ${where}`;
    for await (const answer of this.#client.query(q, { bound })) void answer;
  }

  async #deleteFrom2({ measurement, tags, from = BEGIN, to = END }: Deletion): Promise<void> {
    const { bucket, org, token, url } = this.#target;
    const query = new URLSearchParams({ bucket, ...(org !== undefined && { org }) });
    const quoted = (text: string): string =>
      `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
    const predicate = [['_measurement', measurement], ...presentTags(tags)]
      .map(([tag = '', value = '']) => `${quoted(tag)}=${quoted(value)}`)
      .join(' AND ');
    const { status } = await this.#transport.request({
      method: 'POST',
      path: `/api/v2/delete?${query.toString()}`,
      headers: { authorization: `Token ${token ?? ''}`, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ start: from, stop: to, predicate })),
      timeoutMs: DELETE_TIMEOUT_MS,
    });
    if (status >= 200 && status < 300) return;
    // The text of the answer may quote the predicate, and so the user.
    throw new TokenMeterError(
      'BACKEND_REFUSED',
      `InfluxDB at ${new URL(url).origin} refused to delete (${status}); the token must be allowed to write the bucket`,
      { value: status },
    );
  }
}

/** `isExact`: without the series that have more tags; only a `DELETE` of 1.x can say so. */
export function seriesCondition(
  tags: Readonly<Record<string, string>> | undefined,
  bound: BoundValues,
  isExact: boolean,
): string[] {
  const named = isExact ? Object.entries(tags ?? {}) : presentTags(tags);
  return named.map(([tag, value]) => `${name(tag)} = ${value === '' ? "''" : bound.bind(value)}`);
}

/** A tag that a series does not have reads ''. */
const presentTags = (tags: Readonly<Record<string, string>> = {}): [string, string][] =>
  Object.entries(tags).filter(([, value]) => value !== '');
