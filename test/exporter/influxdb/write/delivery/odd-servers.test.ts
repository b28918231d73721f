import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InfluxUsageProcessor } from '../../../../../exporter/influxdb/write/influx-usage-processor.ts';
import type { InfluxOptions } from '../../../../../exporter/influxdb/influx-options.ts';
import { DeadLetterFile } from '../../../../../exporter/delivery/dead-letters.ts';
import { BoundedTag } from '../../../../../exporter/influxdb/write/lines/bounded-tag.ts';
import { OddServer } from '../../../../support/odd-server.ts';
import { until } from '../../../../support/until.ts';
import { logOf, usageRecord } from '../../../../support/usage-logs.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');

describe('servers and gateways on a bad day', () => {
  let server: OddServer;
  let directory: string;
  let processor: InfluxUsageProcessor;

  beforeEach(async () => {
    server = await OddServer.start();
    directory = mkdtempSync(join(tmpdir(), 'token-meter-odd-'));
  });
  afterEach(async () => {
    server.answer = () => undefined;
    server.bytesPerSecond = Infinity;
    await processor.shutdown();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const start = (over: Partial<InfluxOptions> = {}): InfluxUsageProcessor =>
    (processor = new InfluxUsageProcessor({
      rollUps: false,
      url: server.url,
      bucket: 'usage',
      spool: { directory },
      flushIntervalMs: 50,
      ...over,
    }));
  const emit = (count: number, over: (i: number) => object = () => ({})): void => {
    for (let i = 0; i < count; i++) {
      processor.onEmit(logOf(usageRecord(T0 + i, { inputTokens: i, ...over(i) })));
    }
  };
  const finished = async (delivered: number, dropped = 0): Promise<void> =>
    await until(() => {
      const status = processor.status();
      const gone = Object.values(status.dropped).reduce((sum, count) => sum + count, 0);
      return status.delivered >= delivered && gone >= dropped;
    }, 30_000);
  const deadLetters = (): string =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes('dead-letters'))
      .map((name) => readFileSync(join(directory, name), 'utf8'))
      .join('');

  it('learns the size of a send that a slow server takes in time', async () => {
    server.bytesPerSecond = 200_000;
    start({ timeoutMs: 500 });
    emit(2000);
    // A send of all would take 2.5 s or more.
    await finished(2000);
    assert.equal(server.stored.size, 2000);
    assert.deepEqual(processor.status().dropped, {});
    assert.ok(processor.status().retries < 15, `${processor.status().retries} retries`);
  }).timeout(60_000);

  for (const status of [403, 500]) {
    it(`finds the one line that a gateway answers with ${status}`, async () => {
      server.answer = (lines) =>
        lines.some((line) => line.includes('DROP TABLE'))
          ? { status, error: 'forbidden by policy' }
          : undefined;
      start();
      emit(300, (i) => (i === 123 ? { attributes: { note: 'DROP TABLE' } } : {}));
      await finished(299, 1);
      assert.deepEqual(processor.status().dropped, { refused: 1 });
      await until(() => deadLetters().includes('DROP TABLE'));
      emit(10);
      await finished(309);
      assert.equal(processor.status().state, 'ok');
    }).timeout(60_000);
  }

  it('keeps every line while a server refuses all of them with 403 or 500', async () => {
    let status = 500;
    server.answer = (lines) => (lines.length === 0 ? undefined : { status, error: 'disk full' });
    start();
    emit(5);
    await until(() => processor.status().retries > 3, 10_000);
    status = 403;
    await until(() => processor.status().retries > 5, 20_000);
    assert.deepEqual([processor.status().dropped, processor.status().pending], [{}, 5]);
    server.answer = () => undefined;
    await until(async () => {
      await processor.forceFlush();
      return processor.status().delivered === 5;
    }, 20_000);
  }).timeout(60_000);

  it('drops no line for answers of 413 at random', async () => {
    let writes = 0;
    start();
    emit(100);
    await finished(100);
    // The comment and every fourth write pass.
    server.answer = (lines) =>
      lines.length === 0 || ++writes % 4 === 0 ? undefined : { status: 413 };
    for (let i = 0; i < 4; i++) {
      emit(1);
      await finished(101 + i);
    }
    assert.deepEqual([processor.status().dropped, server.stored.size], [{}, 104]);
  }).timeout(60_000);

  it('strips a field of the wrong type from all lines of a batch at once', async () => {
    server.answer = (lines) => {
      const wrong = lines.filter((line) => /[ ,]score="/.test(line));
      if (wrong.length === 0) return undefined;
      return {
        status: 400,
        error: `partial write: field type conflict: input field "score" on measurement "llm_usage" is type string, already exists as type float dropped=${wrong.length}`,
        stored: lines.filter((line) => !wrong.includes(line)),
      };
    };
    start();
    emit(1000, (i) => ({ attributes: { score: i % 2 === 0 ? 0.5 : 'high' } }));
    await finished(1000);
    assert.deepEqual(processor.status().cleaned, { type_conflict: 500 });
    assert.ok(server.writes.length < 10, `${server.writes.length} writes`);
    const scored = [...server.stored].filter((line) => line.includes('score=0.5'));
    assert.equal(scored.length, 500);
  });

  for (const [version, text] of [
    ['1.x', (n: number) => `partial write: points beyond retention policy dropped=${n}`],
    [
      '2.x',
      (n: number) =>
        `failure writing points to database: partial write: dropped ${n} points outside retention policy of duration 24h0m0s`,
    ],
  ] as const) {
    it(`drops what is beyond the retention of ${version} with one request`, async () => {
      const bound = `${T0 + 400}000000`;
      server.answer = (lines) => {
        const kept = lines.filter((line) => (line.split(' ').at(-1) ?? '') >= bound);
        return kept.length === lines.length
          ? undefined
          : { status: 422, error: text(lines.length - kept.length), stored: kept };
      };
      start();
      emit(1000);
      await finished(600, 400);
      assert.deepEqual(processor.status().dropped, { beyond_retention: 400 });
      assert.equal(server.stored.size, 600);
      assert.ok(server.writes.length < 5, `${server.writes.length} writes`);
      await until(() => deadLetters().split('\n').length > 400);
    });
  }

  it('writes users beyond the limit of the server as others, and asks no more', async () => {
    const users = new Set<string>();
    server.answer = (lines) => {
      const stored: string[] = [];
      let refused: string | undefined;
      let dropped = 0;
      for (const line of lines) {
        const user = /user_id=([^, ]+)/.exec(line)?.[1] ?? '';
        if (users.has(user) || users.size < 10) {
          users.add(user);
          stored.push(line);
        } else {
          dropped++;
          refused ??= user;
        }
      }
      if (dropped === 0) return undefined;
      const error = `partial write: max-values-per-tag limit exceeded (10/10): measurement="llm_usage" tag="user_id" value="${refused}" dropped=${dropped}`;
      return { status: 400, error, stored };
    };
    users.add('(other)');
    start();
    emit(60, (i) => ({ userId: `user-${i}` }));
    await finished(60);
    assert.deepEqual(processor.status().dropped, {});
    assert.deepEqual(processor.status().cleaned, { tag_limit: 51 });
    const ids = new Set(
      [...server.stored].map((line) => / calls=.*user="([^"]+)"/.exec(line)?.[1]),
    );
    assert.equal(ids.size, 60);
    const before = server.writes.length;
    // Refused ones, and new ones.
    emit(70, (i) => ({ userId: `user-${10 + i}` }));
    await finished(130);
    assert.ok(server.writes.length <= before + 2, 'new users are others from the start');
  }).timeout(30_000);

  it('asks for the dialect again when the first answer was an error', async () => {
    let pings = 0;
    server.ping = () =>
      pings++ === 0
        ? { status: 503 }
        : { status: 204, headers: { 'x-influxdb-version': '1.8.10' } };
    // With a token, a server that says nothing is taken for a 2.x.
    start({ token: 'user:password' });
    emit(60);
    await until(async () => {
      await processor.forceFlush();
      return processor.status().delivered === 60;
    }, 20_000);
    assert.ok(pings > 1);
  }).timeout(30_000);

  it('takes a record dated 2099 for one of today', () => {
    let now = Date.parse('2026-11-28T10:00:00Z');
    const tags = new BoundedTag(2, () => now);
    assert.deepEqual([tags.value('a'), tags.value('b'), tags.value('c')], ['a', 'b', '(other)']);
    now += 86_400_000;
    assert.deepEqual([tags.value('c'), tags.value('a'), tags.value('b')], ['c', 'a', '(other)']);
    tags.refused('a');
    now += 86_400_000;
    assert.deepEqual(
      ['c', 'a', 'd'].map((id) => tags.value(id)),
      ['c', '(other)', '(other)'],
    );
  });

  it('loses no dead letter when many writers put the file aside', async () => {
    start();
    const path = join(directory, 'dead-letters-usage.lines');
    const files = Array.from({ length: 8 }, () => new DeadLetterFile(path, assert.fail, 2000));
    for (let i = 0; i < 40; i++) {
      for (const [n, file] of files.entries()) {
        const line = Buffer.from(`m v="${n}-${i}"\n`);
        file.keep({ lines: [line], reason: 'refused', message: 'x' });
      }
      if (i % 10 === 9) await Promise.all(files.map(async (file) => await file.written()));
      // Before the oldest are removed.
      if (i === 9) assert.equal(deadLetters().match(/m v=/g)?.length, 80);
    }
    const aside = readdirSync(directory).filter((name) =>
      name.startsWith('dead-letters-usage.lines.'),
    );
    assert.ok(aside.length >= 1 && aside.length <= 3, `${aside.length} files`);
  });
});
