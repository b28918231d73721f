import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { DiskSpoolOptions } from '../../../exporter/spool/disk-spool.ts';
import type { LineBatch } from '../../../exporter/spool/line-queue.ts';
import { realFs } from '../../../exporter/spool/spool-fs.ts';
import { until } from '../../support/until.ts';
import { chunkOf, diskSpool, textOf } from '../../support/spool.ts';

describe('DiskSpool', () => {
  let folder: string;
  const dropped: [string, number][] = [];
  let adopted = 0;
  let diskErrors: (string | undefined)[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-spool-'));
    dropped.length = 0;
    adopted = 0;
    diskErrors = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (over: Partial<DiskSpoolOptions> = {}) =>
    diskSpool(folder, {
      onDropped: (reason, lines) => void (lines > 0 && dropped.push([reason, lines])),
      onAdopted: (lines) => void (adopted += lines),
      onDiskState: (error) => void diskErrors.push(error?.message),
      ...over,
    });
  const files = (): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.includes('.lines'),
    );
  const takeAll = async (spool: ReturnType<typeof diskSpool>): Promise<string[]> => {
    const lines: string[] = [];
    for (;;) {
      const batch = await spool.take(1e6, 1e9);
      if (batch === undefined) return lines;
      lines.push(...textOf(batch).trim().split('\n'));
      batch.done();
    }
  };

  it('leaves what was not delivered to the next start, which adopts it', async () => {
    const first = open();
    await first.append(chunkOf('a', 'b'));
    await first.append(chunkOf('c'));
    const batch = await first.take(1, 1);
    batch?.done();
    await first.close();
    assert.equal(files().length, 1);
    const second = open();
    await until(() => second.pendingLines === 3);
    assert.equal(adopted, 3);
    // The chunk that was done comes again: delivery is at least once.
    assert.deepEqual(await takeAll(second), ['a', 'b', 'c']);
    await second.close();
    assert.deepEqual(readdirSync(folder), ['destination.json']);
  });

  it('leaves nothing behind when everything was delivered', async () => {
    const spool = open();
    await spool.append(chunkOf('a'));
    assert.deepEqual(await takeAll(spool), ['a']);
    await spool.close();
    assert.deepEqual(readdirSync(folder), ['destination.json']);
  });

  it('takes a segment whose end is torn, and one with a flipped bit, for what they still hold', async () => {
    const spool = open();
    for (const line of ['first', 'second', 'third']) await spool.append(chunkOf(line, line));
    const [name = ''] = files();
    const bytes = readFileSync(join(folder, name));
    await spool.close();
    rmSync(folder, { recursive: true });
    const write = (owner: string, content: Buffer): void => {
      const path = join(folder, owner);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, `${owner}-000001.lines.open`), content);
    };
    const flipped = Buffer.from(bytes);
    flipped[flipped.indexOf('second')] = 0x53;
    write('torn', bytes.subarray(0, bytes.length - 3));
    write('flipped', flipped);
    const next = open();
    await until(() => next.pendingLines === 10);
    assert.equal(
      (await takeAll(next)).toSorted().join(),
      'first,first,first,first,second,second,third,third',
    );
    assert.deepEqual(dropped, [['spool_corrupt', 2]]);
    await next.close();
  });

  it('drops the oldest segments beyond its bound, and counts their lines', async () => {
    const spool = open({ maxBytes: 80_000 });
    const line = 'x'.repeat(1000);
    for (let i = 0; i < 200; i++) await spool.append(chunkOf(`${i} ${line}`));
    const lines = await takeAll(spool);
    const lost = dropped.reduce((sum, [, count]) => sum + count, 0);
    assert.equal(lines.length + lost, 200);
    assert.ok(lines.length > 40 && lines.length < 80, `${lines.length} lines kept`);
    assert.match(lines.at(-1) ?? '', /^199 /);
    assert.deepEqual(new Set(dropped.map(([reason]) => reason)), new Set(['spool_full']));
    await spool.close();
  });

  it('fills a batch from several segments, and gives all of it back when it is released', async () => {
    const spool = open({ maxBytes: 80_000 });
    const line = 'x'.repeat(1000);
    for (let i = 0; i < 50; i++) await spool.append(chunkOf(`${i} ${line}`));
    assert.ok(files().length > 3);
    const numbers = (batch: LineBatch | undefined): number[] =>
      batch === undefined ? [] : textOf(batch).trim().split('\n').map(Number.parseFloat);
    const upTo = (end: number): number[] => Array.from({ length: end }, (_, i) => i);
    const first = await spool.take(30, 1e9);
    assert.deepEqual(numbers(first), upTo(30));
    first?.release();
    assert.equal(spool.waitingLines, 50);
    const again = await spool.take(40, 1e9);
    assert.deepEqual(numbers(again), upTo(40));
    assert.equal((await spool.take(1e6, 1001))?.lines, 1);
    assert.equal((await spool.take(1e6, 1e9))?.lines, 9);
    again?.done();
    assert.equal(spool.pendingLines, 10);
    await until(() => files().length < 3);
    await spool.close();
  });

  it('refuses new lines at its bound where that is asked for', async () => {
    const spool = open({ maxBytes: 80_000, whenFull: 'refuse' });
    const line = 'x'.repeat(1000);
    const appends = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => spool.append(chunkOf(`${i} ${line}`))),
    );
    const kept = appends.filter(({ status }) => status === 'fulfilled').length;
    assert.match((await takeAll(spool))[0] ?? '', /^0 /);
    assert.ok(kept > 60 && kept < 80, `${kept} lines kept`);
    assert.equal(
      appends.filter((one) => one.status === 'rejected' && one.reason.reason === 'spool_full')
        .length,
      200 - kept,
    );
    await spool.close();
  });

  it('compresses what waits behind the first segments', async () => {
    const spool = open({ maxBytes: 1_000_000, compressAfterMs: 0 });
    const line = 'x'.repeat(1000);
    for (let i = 0; i < 800; i++) await spool.append(chunkOf(`${i} ${line}`));
    await until(() => files().some((name) => name.endsWith('.zst')), 5000);
    const name = files().find((one) => one.endsWith('.zst')) ?? '';
    const plain = zstdDecompressSync(readFileSync(join(folder, name))).toString();
    assert.match(plain, /^#tm2 \d{8} \d{8} [0-9a-f]{8} -\n\d+ xxx/);
    const lines = await takeAll(spool);
    assert.equal(lines.length, 800);
    assert.deepEqual(
      lines.map((one) => Number(one.split(' ')[0])),
      Array.from({ length: 800 }, (_, i) => i),
    );
    await spool.close();
    assert.deepEqual(readdirSync(folder), ['destination.json']);
  });

  it('shares a folder: living owners keep theirs, one that ends leaves it to the others', async () => {
    let looks = 0;
    const readdir = ((...args: Parameters<typeof realFs.readdir>) => {
      looks++;
      return realFs.readdir(...args);
    }) as typeof realFs.readdir;
    const [one, two] = [open(), open({ fs: { ...realFs, readdir } })];
    await one.append(chunkOf('of one'));
    await two.append(chunkOf('of two'));
    // For what the dead left, then for what the living hold: later it would find what one leaves to three.
    await until(() => looks >= 2);
    assert.equal(adopted, 0);
    await one.close();
    const three = open();
    await until(() => three.pendingLines === 1);
    assert.deepEqual(await takeAll(three), ['of one']);
    assert.deepEqual(await takeAll(two), ['of two']);
    await two.close();
    await three.close();
  });

  it('keeps lines in bounded memory while the disk takes none, and delivers them from there', async () => {
    let isFull = true;
    const full: typeof realFs = {
      ...realFs,
      open: async (...args) => {
        if (isFull) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
        return await realFs.open(...args);
      },
    };
    const spool = open({ fs: full, maxMemoryBytes: 3000, onUpkeepError: () => {} });
    await spool.append(chunkOf('a'));
    await spool.append(chunkOf('b'));
    assert.deepEqual(diskErrors, ['ENOSPC: no space left']);
    assert.equal(spool.volatileLines, 2);
    const batch = await spool.take(1, 1e6);
    assert.equal(batch && textOf(batch), 'a\n');
    batch?.done();
    await assert.rejects(spool.append(chunkOf('x'.repeat(4000))), { reason: 'memory_full' });
    isFull = false;
    await until(() => spool.volatileLines === 0, 3000);
    assert.deepEqual(diskErrors, ['ENOSPC: no space left', undefined]);
    assert.equal(files().length, 1);
    assert.deepEqual(await takeAll(spool), ['b']);
    await spool.close();
  });

  for (const [fsync, expected] of [
    ['always', 'before each acceptance'],
    ['interval', 'within a second'],
    ['never', 'not at all'],
  ] as const) {
    it(`forces appends to the disk ${expected} with fsync: '${fsync}'`, async () => {
      let syncs = 0;
      const counting: typeof realFs = {
        ...realFs,
        open: async (...args) => {
          const handle = await realFs.open(...args);
          const datasync = handle.datasync.bind(handle);
          return Object.assign(handle, {
            datasync: async () => {
              syncs++;
              await datasync();
            },
          });
        },
      };
      const spool = open({ fs: counting, fsync });
      await spool.append(chunkOf('a'));
      await spool.append(chunkOf('b'));
      assert.equal(syncs, fsync === 'always' ? 2 : 0);
      if (fsync === 'interval') await until(() => syncs === 1, 3000);
      await spool.close();
      assert.ok(fsync === 'never' ? syncs === 0 : syncs > 0);
    });
  }
});
