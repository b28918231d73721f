import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chunkOf, diskSpool } from '../support/spool.ts';
import { until } from '../support/until.ts';

describe('the spool over seconds', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-spool-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const files = (): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.includes('.lines'),
    );

  it('writes one large segment while the server is away, however slowly records come', async () => {
    const spool = diskSpool(folder);
    const start = performance.now();
    for (let i = 0; i < 8; i++) {
      await spool.append(chunkOf(`line ${i}`));
      await sleep(900);
    }
    assert.ok(performance.now() - start > 5000);
    assert.equal(files().length, 1);
    // Delivered lines are to leave the disk, lest a crash sends them again.
    (await spool.take(1e6, 1e9))?.done();
    await until(() => files().length === 0, 7000);
    await spool.close();
  }).timeout(20_000);
});
