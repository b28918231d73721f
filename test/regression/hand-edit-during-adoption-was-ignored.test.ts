import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileSettingsStore, SettingsService, metricsSettings } from '../../src/settings/index.ts';
import type { SettingsUpdate, StoredSettings } from '../../src/settings/index.ts';
import { until } from '../support/until.ts';

/** Changes the file at once, and says so late. */
class SlowToAnswer extends FileSettingsStore {
  override async update<U extends SettingsUpdate>(
    decide: (stored: StoredSettings, now: number) => U,
  ): Promise<U> {
    const update = await super.update(decide);
    await sleep(300);
    return update;
  }
}

describe('a settings file that is edited while an earlier edit gets its version', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-edited-twice-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is in force with the later edit, which gets a version too', async () => {
    const path = join(folder, 'settings.json');
    writeFileSync(path, '{"values": {"enabled": false}}');
    const settings = new SettingsService({
      schema: metricsSettings,
      store: new SlowToAnswer({ path, pollIntervalMs: 600_000 }),
    });
    try {
      await settings.start();
      await until(() => settings.version === 1);
      writeFileSync(path, readFileSync(path, 'utf8').replace('false', 'true'));
      await until(() => settings.version === 2);
      assert.equal(settings.get().enabled, true);
      assert.deepEqual(
        (await settings.audit()).map(({ action, version }) => [action, version]),
        [
          ['adopt', 2],
          ['adopt', 1],
        ],
      );
    } finally {
      await settings.close();
    }
  });
});
