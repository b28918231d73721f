import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileSettingsStore, SettingsService, metricsSettings } from '../../src/settings/index.ts';
import { until } from '../support/until.ts';

/** A redirection empties the file before its command has anything to write. */
describe('a settings file that is empty for a while', () => {
  let folder: string;
  let path: string;
  let laterMs = 0;
  let settings: SettingsService<{ readonly enabled: boolean; readonly token_statistics: boolean }>;

  beforeEach(async () => {
    laterMs = 0;
    folder = mkdtempSync(join(tmpdir(), 'token-meter-slow-edit-'));
    path = join(folder, 'settings.json');
    settings = new SettingsService({
      schema: metricsSettings,
      store: new FileSettingsStore({
        path,
        pollIntervalMs: 200,
        now: () => performance.now() + laterMs,
      }),
    });
    await settings.patch({ token_statistics: false });
  });
  afterEach(async () => {
    await settings.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is left to whoever writes it, and then in force', async () => {
    writeFileSync(path, '');
    await sleep(700);
    assert.equal(readFileSync(path, 'utf8'), '', 'nothing was restored into it');
    assert.equal(settings.get().token_statistics, false, 'the last known settings');
    assert.equal(settings.status.state, 'stale');
    writeFileSync(path, '{"values": {"enabled": false}}');
    await until(() => settings.get().enabled === false);
    assert.equal(settings.status.state, 'ready');
  });

  it('is restored when nobody has written it for half a minute', async () => {
    writeFileSync(path, '');
    await until(() => settings.status.state === 'stale');
    laterMs = 31_000;
    await until(() => readFileSync(path, 'utf8') !== '');
    const stored = JSON.parse(readFileSync(path, 'utf8')) as { values: unknown };
    assert.deepEqual(stored.values, { token_statistics: false });
  });
});
