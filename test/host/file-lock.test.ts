import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFileLock } from '../../src/host/file-lock.ts';

describe('a lock left by another process', () => {
  let folder: string;
  let path: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-lock-'))));
  beforeEach(() => (path = join(folder, 'settings.lock')));
  after(() => rmSync(folder, { recursive: true }));

  function leave(holder: string, ageMs: number): void {
    writeFileSync(path, holder);
    // By the clock of the file system.
    const at = new Date(statSync(path).mtimeMs - ageMs);
    utimesSync(path, at, at);
  }

  it('that has ended is taken away after five seconds', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    leave(`${pid} ended`, 6000);
    await withFileLock(path, async () => assert.match(readFileSync(path, 'utf8'), /^\d+ /));
    assert.equal(existsSync(path), false);
  });

  it('that is starved keeps its lock, so that no change of either is lost', async () => {
    leave(`${process.pid} starved`, 6000);
    const order: string[] = [];
    const waiting = withFileLock(path, async () => void order.push('second'));
    await sleep(300);
    order.push('first');
    rmSync(path);
    await waiting;
    assert.deepEqual(order, ['first', 'second']);
  });

  it('is not judged by a clock that differs from that of the file server', async () => {
    writeFileSync(path, `${process.pid} at work`);
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
    try {
      const order: string[] = [];
      const waiting = withFileLock(path, async () => void order.push('second'));
      await sleep(300);
      order.push('first');
      rmSync(path);
      await waiting;
      assert.deepEqual(order, ['first', 'second']);
    } finally {
      Date.now = now;
    }
  });

  it('whose pid is in use again is taken away after half a minute', async () => {
    leave(`${process.pid} another`, 31_000);
    await withFileLock(path, async () => undefined);
    assert.equal(existsSync(path), false);
  });
});
