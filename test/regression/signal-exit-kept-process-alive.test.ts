import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runApp, type AppRun } from '../support/run-app.ts';

const APP = fileURLToPath(new URL('../register/apps/signals.mjs', import.meta.url));
const KINDS = [
  'alone',
  'signal-exit-3',
  'signal-exit-4',
  'both',
  'once',
  'prepended once',
  'kills itself again',
  'exits',
] as const;

/**
 * The preload took a second listener of a signal for a handler that ends the process, and signal-exit
 * took the preload's for one: the process lived for ever.
 */
describe('a signal beside the preload', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-signals-'))));
  after(() => rmSync(folder, { recursive: true }));

  async function run(kind: string, preload: boolean): Promise<Omit<AppRun, 'err'>> {
    const { err, ...rest } = await runApp(APP, {
      node: preload ? ['--import', 'otel-token-meter/register'] : [],
      args: [kind],
      env: {
        TOKEN_METER_PROVIDER: 'sqlite',
        TOKEN_METER_SQLITE_PATH: join(folder, 'usage.db'),
        TOKEN_METER_SETTINGS_PATH: join(folder, 'settings.json'),
      },
      onOutput: (out, kill) => {
        if (!out.includes('ready')) return;
        if (!out.includes('handled')) kill('SIGTERM');
      },
    });
    assert.equal(err, '');
    return rest;
  }

  for (const kind of KINDS) {
    it(`ends the process as without it: ${kind}`, async () => {
      const [bare, preloaded] = await Promise.all([run(kind, false), run(kind, true)]);
      assert.notEqual(bare.signal, 'SIGKILL');
      assert.deepEqual(preloaded, bare);
    });
  }
});
