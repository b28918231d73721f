import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LastKnownGood, defaultLastKnownGoodPath } from '../../src/settings/last-known-good.ts';

describe('the last known good settings', () => {
  let folder: string;
  let warnings: string[];
  const warn = (message: string): void => void warnings.push(message);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-known-'));
    warnings = [];
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('come back as they were kept, the newest of many', async () => {
    const path = join(folder, 'deep', 'settings.json');
    const kept = new LastKnownGood(path, warn);
    assert.equal(await kept.load(), undefined);
    for (let version = 1; version <= 50; version++) {
      kept.keep({ version, values: { enabled: version % 2 === 0 }, updatedBy: 'ada' });
    }
    await kept.settled();
    assert.deepEqual(await new LastKnownGood(path, warn).load(), {
      version: 50,
      values: { enabled: true },
      updatedBy: 'ada',
    });
    assert.deepEqual(readdirSync(join(folder, 'deep')), ['settings.json'], 'nothing half-written');
    assert.equal(statSync(path).mode & 0o077, 0, 'for nobody else on this machine');
  });

  it('are absent when the file holds something else', async () => {
    const path = join(folder, 'settings.json');
    for (const text of ['', '{', '[]', 'null', '{"version": -1, "values": {}}', '{"version": 1}']) {
      writeFileSync(path, text);
      assert.equal(await new LastKnownGood(path, warn).load(), undefined, text);
    }
    writeFileSync(path, '{"version": 1, "values": {"__proto__": 1, "a": {}, "enabled": false}}');
    assert.deepEqual(await new LastKnownGood(path, warn).load(), {
      version: 1,
      values: { a: {}, enabled: false },
    });
  });

  it('log once that they cannot be kept, and do not fail', async () => {
    writeFileSync(join(folder, 'file'), '');
    const kept = new LastKnownGood(join(folder, 'file', 'settings.json'), warn);
    for (const version of [1, 2]) {
      kept.keep({ version, values: {} });
      await kept.settled();
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cannot be kept at .*\(E[A-Z]+\)/);
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), '');
  });

  it('lie in the state folder of the user, a file for each store', () => {
    const path = (address: string): string =>
      defaultLastKnownGoodPath(address, { XDG_STATE_HOME: folder });
    assert.ok(path('redis a').startsWith(join(folder, 'otel-token-meter', 'settings-')));
    assert.notEqual(path('redis a'), path('redis b'));
    assert.equal(path('redis a'), path('redis a'));
  });
});
