import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InstanceFolder } from '../../../src/settings/stores/instance-folder.ts';

describe('the reports of instances in a folder', () => {
  let folder: string;
  let nowMs = 0;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-instances-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('leave a report that is being written alone, on a file server with another clock too', async () => {
    const instances = new InstanceFolder(folder, () => nowMs);
    const temporary = join(folder, 'chat.json.8f.tmp');
    writeFileSync(temporary, '');
    utimesSync(temporary, new Date(0), new Date(0));
    await instances.list();
    nowMs += 59_000;
    await instances.list();
    assert.deepEqual(readdirSync(folder), ['chat.json.8f.tmp']);
  });

  it('are cleared of a file that stays, as of a process that died while writing', async () => {
    const instances = new InstanceFolder(folder, () => nowMs);
    const startedAt = new Date().toISOString();
    await instances.add(
      { id: 'chat', name: 'chat', host: 'h', pid: 1, version: 1, state: 'ready', startedAt },
      30_000,
    );
    writeFileSync(join(folder, 'batch.json.8f.tmp'), '');
    await instances.list();
    nowMs += 61_000;
    const seen = await instances.list();
    assert.deepEqual(
      seen.map(({ id }) => id),
      ['chat'],
    );
    assert.deepEqual(readdirSync(folder), ['chat.json']);
  });
});
