import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { moveBacklog, spoolBacklogs } from '../../../exporter/spool/backlog.ts';
import { allowance } from '../../../exporter/spool/bound.ts';
import type { DiskSpool, DiskSpoolOptions } from '../../../exporter/spool/disk-spool.ts';
import { frameHeader } from '../../../exporter/spool/frame.ts';
import { errorOf, type Fault, faultFs } from '../../support/fault-fs.ts';
import { chunkOf, diskSpool, textOf } from '../../support/spool.ts';
import { until } from '../../support/until.ts';

const LINE = 'x'.repeat(1000);

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

describe('faults below the spool', () => {
  let folder: string;
  let fault: Fault;
  let dropped: Record<string, number>;
  let counts: { accepted: number; adopted: number; handedOver: number };
  let errors: string[];
  let states: (string | undefined)[];
  let opened: DiskSpool[];

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'token-meter-faults-')), 'usage');
    fault = () => {};
    dropped = {};
    counts = { accepted: 0, adopted: 0, handedOver: 0 };
    errors = [];
    states = [];
    opened = [];
  });
  afterEach(async () => {
    fault = () => {};
    for (const spool of opened) await spool.close();
    rmSync(dirname(folder), { recursive: true, force: true });
  });

  const open = (over: Partial<DiskSpoolOptions> = {}): DiskSpool => {
    const spool = diskSpool(folder, {
      fs: faultFs((call, path) => fault(call, path)),
      onDropped: (reason, lines) => void (dropped[reason] = (dropped[reason] ?? 0) + lines),
      onAccepted: (lines) => void (counts.accepted += lines),
      onAdopted: (lines) => void (counts.adopted += lines),
      onHandedOver: (lines) => void (counts.handedOver += lines),
      onUpkeepError: ({ message }) => void errors.push(message),
      onDiskState: (error) => void states.push(error?.message),
      ...over,
    });
    opened.push(spool);
    return spool;
  };
  const files = (): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.includes('.lines'),
    );
  const drain = async (spool: DiskSpool): Promise<string[]> => {
    const lines: string[] = [];
    for (;;) {
      const batch = await spool.take(1e6, 1e9);
      if (batch === undefined) return lines;
      lines.push(...textOf(batch).trim().split('\n'));
      batch.done();
    }
  };
  /** A sealed segment of a process that is gone. */
  const leave = (owner: string, name: string, ...lines: string[]): string => {
    const chunk = chunkOf(...lines);
    mkdirSync(join(folder, owner), { recursive: true });
    const path = join(folder, owner, `${name}-${lines.length}.lines`);
    writeFileSync(path, Buffer.concat([frameHeader(chunk), chunk.body]));
    return path;
  };

  it('reads again what could not be read for want of file descriptors', async () => {
    const spool = open({ maxBytes: 160_000 });
    for (let i = 0; i < 60; i++) await spool.append(chunkOf(`${i} ${LINE}`));
    const first = await spool.take(1e6, 1e9);
    first?.release();
    for (let i = 0; i < 3; i++) leave('dead', `s${i}`, `dead ${i}`);
    const adopter = open();
    await until(() => counts.adopted === 3);
    fault = (call) => {
      if (call === 'open' || call === 'readFile' || call === 'read') throw errorOf('EMFILE');
    };
    assert.deepEqual(await drain(adopter), []);
    assert.match(errors.join(), /EMFILE/);
    assert.equal(adopter.waitingLines, 3);
    fault = () => {};
    await until(async () => (await drain(adopter)).length > 0, 3000);
    assert.deepEqual(dropped, {});
  });

  it('adopts nine of ten segments when one cannot be read, and that one later', async () => {
    for (let i = 0; i < 10; i++) leave('dead', `s${i}`, `line ${i}`);
    fault = (_, path) => {
      if (path.includes(join('dead', 's4'))) throw errorOf('EIO');
    };
    const spool = open();
    await until(() => counts.adopted === 9);
    assert.equal((await drain(spool)).length, 9);
    assert.ok(existsSync(join(folder, 'dead', 's4-1.lines')));
    fault = () => {};
    // The next process, or the next adoption of this one.
    const next = open();
    await until(() => counts.adopted === 10);
    assert.deepEqual(await drain(next), ['line 4']);
    assert.deepEqual(dropped, {});
  });

  it('counts a segment whose compressed bytes are damaged, and puts it aside', async () => {
    mkdirSync(join(folder, 'dead'), { recursive: true });
    writeFileSync(join(folder, 'dead', 's1-7.lines.zst'), 'no zstd at all');
    leave('dead', 's2', 'whole');
    const spool = open();
    await until(() => counts.adopted === 8);
    assert.deepEqual(await drain(spool), ['whole']);
    assert.deepEqual(dropped, { spool_corrupt: 7 });
    assert.equal(spool.pendingLines, 0);
    assert.ok(existsSync(join(folder, 's1-7.lines.zst.damaged')));
  });

  it('finds a flipped bit in the header of a chunk', async () => {
    const path = leave('dead', 's1', 'a', 'b');
    const bytes = readFileSync(path);
    // The number of lines: 2 becomes 3.
    bytes[12] = (bytes[12] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const spool = open();
    await until(() => counts.adopted === 2);
    assert.deepEqual(await drain(spool), []);
    assert.deepEqual([dropped, spool.pendingLines], [{ spool_corrupt: 2 }, 0]);
  });

  it('reads segments of version 0.1, whose checksum leaves out the header', async () => {
    mkdirSync(join(folder, 'dead'), { recursive: true });
    writeFileSync(join(folder, 'dead', 's-1.lines'), '#tm1 00000001 00000006 363a3020 -\nhello\n');
    const spool = open();
    await until(() => counts.adopted === 1);
    assert.deepEqual(await drain(spool), ['hello']);
    assert.deepEqual(dropped, {});
  });

  it('accepts nothing that the disk did not take, and writes it once the disk does', async () => {
    fault = (call) => {
      if (call === 'open' || call === 'write') throw errorOf('ENOSPC');
    };
    const spool = open();
    assert.equal(await spool.append(chunkOf('a', 'b')), 'volatile');
    assert.equal(await spool.append(chunkOf('c')), 'volatile');
    assert.deepEqual([spool.volatileLines, spool.pendingLines, counts.accepted], [3, 3, 0]);
    fault = () => {};
    await until(() => spool.volatileLines === 0, 5000);
    assert.deepEqual([counts.accepted, spool.pendingLines], [3, 3]);
    assert.deepEqual(await drain(spool), ['a', 'b', 'c']);
  });

  it('writes at the end what is under way to the server while the disk was full', async () => {
    fault = (call) => {
      if (call === 'open' || call === 'write') throw errorOf('ENOSPC');
    };
    const spool = open();
    await spool.append(chunkOf('under way'));
    const batch = await spool.take(1, 1e6);
    await spool.append(chunkOf('waits'));
    assert.equal(batch?.lines, 1);
    // The disk is free again, and the process gets a signal before anything else happens.
    spool.saveSync([chunkOf('gathered')]);
    const saved = files().map((name) => readFileSync(join(folder, name), 'utf8'));
    for (const line of ['under way', 'waits', 'gathered']) {
      assert.ok(
        saved.some((text) => text.includes(line)),
        line,
      );
    }
  });

  it('leaves no copies behind when a signal does not end the process', async () => {
    let isStalled = true;
    let isWriting = false;
    fault = async (call) => {
      isWriting ||= call === 'write';
      while (call === 'write' && isStalled) await sleep(5);
    };
    const spool = open();
    const written = spool.append(chunkOf('being written'));
    await until(() => isWriting);
    for (let signal = 0; signal < 5; signal++) spool.saveSync([chunkOf(`gathered ${signal}`)]);
    isStalled = false;
    assert.equal(await written, 'durable');
    await until(() => files().length === 6, 5000);
    assert.equal(spool.pendingLines, 6);
    assert.equal((await drain(spool)).length, 6);
    await spool.close();
    assert.deepEqual(files(), []);
  });

  it('reports a disk that hangs, and delivers from memory what it does not hold', async () => {
    let isStalled = true;
    fault = async (call) => {
      while (call === 'write' && isStalled) await sleep(5);
    };
    const spool = open({ stallMs: 50 });
    const first = spool.append(chunkOf('hangs'));
    await until(() => states.length > 0);
    assert.match(states[0] ?? '', /longer than 50 ms/);
    assert.equal(await first, 'volatile');
    assert.equal(await spool.append(chunkOf('behind')), 'volatile');
    assert.deepEqual([spool.pendingLines, spool.volatileLines, spool.waitingLines], [2, 2, 1]);
    assert.deepEqual(await drain(spool), ['behind']);
    isStalled = false;
    await until(() => spool.volatileLines === 0);
    assert.deepEqual([states.at(-1), counts.accepted], [undefined, 2]);
    assert.deepEqual(await drain(spool), ['hangs']);
  });

  it('counts what was in a folder that somebody removed, and saves what is still open', async () => {
    const spool = open({ maxBytes: 80_000 });
    // The first segments are sealed, the last is open.
    for (let i = 0; i < 25; i++) await spool.append(chunkOf(`${i} ${LINE}`));
    const taken = await spool.take(1, 1);
    rmSync(folder, { recursive: true });
    await until(() => 'spool_removed' in dropped, 5000);
    await spool.append(chunkOf('after'));
    taken?.done();
    const lines = await drain(spool);
    assert.equal(lines.at(-1), 'after');
    assert.equal(1 + lines.length - 1 + (dropped['spool_removed'] ?? 0), 25);
    assert.ok(lines.length > 1, 'lines of the open segment');
    assert.deepEqual([counts.adopted, spool.pendingLines], [0, 0]);
    await spool.close();
  });

  it('hands its lines over when another process takes it for dead', async () => {
    const spool = open();
    await spool.append(chunkOf('a', 'b'));
    const owner = readdirSync(folder).find((name) => name.startsWith(`${process.pid}-`)) ?? '';
    rmSync(join(folder, owner, 'owner.json'));
    const other = open();
    await until(() => counts.adopted === 2 && counts.handedOver === 2, 5000);
    assert.deepEqual([spool.pendingLines, other.pendingLines], [0, 2]);
    await spool.append(chunkOf('c'));
    assert.deepEqual([await drain(spool), await drain(other)], [['c'], ['a', 'b']]);
    assert.deepEqual(dropped, {});
  });

  it('drains thousands of small segments without holding up the event loop', async () => {
    const count = 5000;
    for (let i = 0; i < count; i++) leave('dead', `s${String(i).padStart(6, '0')}`, `line ${i}`);
    const spool = open();
    // CPU time of this thread between two turns of the loop: a loaded machine does not count.
    let worst = 0;
    let last = threadCpuMs();
    const watch = setInterval(() => {
      const now = threadCpuMs();
      worst = Math.max(worst, now - last);
      last = now;
    }, 5);
    const lines: string[] = [];
    await until(async () => {
      const batch = await spool.take(5000, 4e6);
      if (batch !== undefined) lines.push(...textOf(batch).trim().split('\n'));
      batch?.done();
      return lines.length === count;
    }, 60_000);
    clearInterval(watch);
    assert.equal(new Set(lines).size, count);
    assert.ok(worst < 250, `${worst} ms`);
  }).timeout(90_000);

  it('gives signs of life while it adopts', async () => {
    for (let i = 0; i < 120; i++) leave('dead', `s${i}`, `line ${i}`);
    let beats = 0;
    fault = async (call, path) => {
      if (path.includes('dead')) await sleep(30);
      if (path.endsWith('owner.json') && call === 'stat') beats++;
    };
    const spool = open();
    await until(() => counts.adopted > 90, 10_000);
    assert.ok(beats >= 2, `${beats} looks at the own folder`);
    await until(() => counts.adopted === 120, 10_000);
    assert.equal(spool.pendingLines, 120);
  });

  it('counts blocks: small files cannot exceed the bound on disk', async () => {
    for (let i = 0; i < 200; i++) leave('dead', `s${String(i).padStart(3, '0')}`, `line ${i}`);
    const spool = open({ maxBytes: 400_000 });
    await until(() => counts.adopted === 200);
    await spool.append(chunkOf('new'));
    const onDisk = files().reduce(
      (sum, name) => sum + statSync(join(folder, name)).blocks * 512,
      0,
    );
    assert.ok(onDisk <= 400_000, `${onDisk} bytes`);
    assert.equal((await drain(spool)).length + (dropped['spool_full'] ?? 0), 201);
  });

  it('shares a bound among many owners: none is starved, all stay within it', async () => {
    const maxBytes = 1_200_000;
    const spools = Array.from({ length: 8 }, () => open({ maxBytes }));
    await Promise.all(
      spools.map(async (spool, n) => {
        for (let i = 0; i < 400; i++) await spool.append(chunkOf(`${n} ${i} ${LINE}`));
      }),
    );
    const onDisk = files().reduce(
      (sum, name) => sum + statSync(join(folder, name)).blocks * 512,
      0,
    );
    assert.ok(onDisk <= maxBytes * 1.1, `${onDisk} bytes`);
    const kept = await Promise.all(spools.map(drain));
    for (const lines of kept) {
      assert.match(lines.at(-1) ?? '', / 399 /);
      assert.ok(lines.length > 40, `${lines.length} lines`);
    }
    const all = kept.reduce((sum, lines) => sum + lines.length, 0) + (dropped['spool_full'] ?? 0);
    assert.equal(all, 3200);
  });

  it('grants each owner at least half of an equal part, and never more than the bound in all', () => {
    assert.equal(allowance(1000, 0, []), 1000);
    assert.equal(allowance(1000, 0, [5000]), 250);
    assert.equal(allowance(1000, 900, [50]), 825);
    const grants = [100, 200, 0].map((own, i, all) =>
      allowance(
        1000,
        own,
        all.filter((_, n) => n !== i),
      ),
    );
    assert.ok(grants.reduce((sum, grant) => sum + grant, 0) <= 1000);
  });

  it('drops nothing for lines that find no room even then', async () => {
    const spool = open({ maxBytes: 80_000 });
    for (let i = 0; i < 20; i++) await spool.append(chunkOf(`${i} ${LINE}`));
    const burst = chunkOf(...Array.from({ length: 100 }, () => LINE));
    await assert.rejects(spool.append(burst), { reason: 'spool_full' });
    assert.equal((await drain(spool)).length, 20);
    assert.deepEqual(dropped, {});
  });

  it('knows the age of what it adopts', async function () {
    // The library of `npm run test:dates` shifts the clock and not the times of files.
    if (process.env['FAKETIME'] !== undefined) this.skip();
    const path = leave('dead', 's1', 'old');
    const hourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(path, hourAgo, hourAgo);
    const spool = open();
    await until(() => counts.adopted === 1);
    const age = performance.now() - (spool.oldestSince ?? NaN);
    assert.ok(Math.abs(age - 3_600_000) < 60_000, `${age} ms`);
  });

  it('forces new folders to the disk, up to the first that existed', async () => {
    const synced: string[] = [];
    fault = (call, path) => {
      if (call === 'open' && !path.includes('.lines')) synced.push(path);
    };
    folder = join(folder, 'deep', 'down');
    const spool = open({ fsync: 'always' });
    await spool.append(chunkOf('a'));
    for (const path of [
      folder,
      dirname(folder),
      dirname(dirname(folder)),
      dirname(dirname(dirname(folder))),
    ]) {
      assert.ok(synced.includes(path), path);
    }
    folder = dirname(dirname(folder));
  });

  it('shows the backlog of every destination, and moves one to another', async () => {
    const directory = dirname(folder);
    const spool = open({ destination: { url: 'http://old:8086', bucket: 'usage' } });
    await spool.append(chunkOf('a', 'b'));
    const [alive] = await spoolBacklogs(directory);
    assert.deepEqual(
      [alive?.lines, alive?.isOwned, alive?.destination],
      [2, true, { url: 'http://old:8086', bucket: 'usage' }],
    );
    assert.equal(await moveBacklog(folder, join(directory, 'new')), 0);
    await spool.close();
    assert.equal((await spoolBacklogs(directory))[0]?.isOwned, false);
    assert.equal(await moveBacklog(folder, join(directory, 'new')), 1);
    folder = join(directory, 'new');
    const next = open();
    await until(() => counts.adopted === 2);
    assert.deepEqual(await drain(next), ['a', 'b']);
  });
});
