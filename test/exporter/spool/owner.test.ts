import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AbandonedFolders, OwnedFolder } from '../../../exporter/spool/owner.ts';
import { realFs } from '../../../exporter/spool/spool-fs.ts';

describe('the owner of a spool folder', () => {
  let parent: string;
  let owned: OwnedFolder;

  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), 'token-meter-owner-'));
    owned = await OwnedFolder.create(realFs, parent);
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  const owner = (): Record<string, unknown> =>
    JSON.parse(readFileSync(join(owned.path, 'owner.json'), 'utf8')) as Record<string, unknown>;
  const claim = (over: object): void =>
    writeFileSync(join(owned.path, 'owner.json'), JSON.stringify({ ...owner(), ...over }));
  const isAbandoned = async (): Promise<boolean> =>
    await new AbandonedFolders(realFs).includes(owned.path);

  it('is alive while its process runs', async () => {
    assert.equal(await isAbandoned(), false);
    claim({ pid: process.ppid, started: owner()['started'] });
    assert.equal(await owned.isOurs(), true);
  });

  it('is gone with its process, also when another one has its id by now', async () => {
    claim({ pid: 2 ** 22 + 1 });
    assert.equal(await isAbandoned(), true);
    claim({ pid: process.pid, started: '1' });
    assert.equal(await isAbandoned(), true);
  });

  it('is gone without its file, and with one that cannot be read', async () => {
    writeFileSync(join(owned.path, 'owner.json'), '{"pid":');
    assert.equal(await isAbandoned(), true);
    await owned.release();
    assert.equal(await isAbandoned(), true);
  });

  it('on another machine is gone after a silence by our own clock, whatever its clock says', async () => {
    claim({ machine: 'elsewhere', pid: 1 });
    const abandoned = new AbandonedFolders(realFs, 60);
    const beat = async (at: number): Promise<void> =>
      await realFs.utimes(join(owned.path, 'owner.json'), at, at);
    await beat(0);
    assert.equal(await abandoned.includes(owned.path), false);
    await sleep(80);
    await beat(4e9);
    assert.equal(await abandoned.includes(owned.path), false);
    await sleep(80);
    assert.equal(await abandoned.includes(owned.path), true);
  });
});
