import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSettingsStore, SettingsService } from '../../src/settings/index.ts';
import { until } from '../support/until.ts';

const WORKER = new URL('../support/settings-file-worker.ts', import.meta.url);

describe('one settings file of several processes', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-settings-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('loses no change of any, counts each once, and notifies subscribers', async () => {
    const path = join(folder, 'settings.json');
    const watching = new SettingsService<{ limit: number }>({
      schema: { limit: { type: 'number', default: 0, description: '' } },
      store: new FileSettingsStore({ path }),
    });
    await watching.start();
    const versions: number[] = [];
    watching.subscribe(({ version }) => void versions.push(version));
    const names = ['a', 'b', 'c'];
    const codes = await Promise.all(
      names.map(async (name) => {
        const child = fork(WORKER, [path, name, '20'], {
          execArgv: ['--conditions=otel-token-meter/source'],
        });
        return ((await once(child, 'exit')) as [number])[0];
      }),
    );
    assert.deepEqual(codes, [0, 0, 0]);
    await until(() => watching.version === 60);
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
      'versions only rise',
    );
    const entries = await watching.audit(100);
    assert.deepEqual(
      entries.map(({ version }) => version),
      Array.from({ length: 60 }, (_, i) => 60 - i),
    );
    for (const name of names) {
      assert.equal(entries.filter(({ actor }) => actor === name).length, 20);
    }
    await watching.close();
    const left = readdirSync(folder).filter((name) => /lock|tmp/.test(name));
    assert.deepEqual(left, []);
  });
});
