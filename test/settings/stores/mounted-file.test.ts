import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FileSettingsStore, SettingsService } from '../../../src/settings/index.ts';
import { canUnshare } from '../../support/image.ts';

const WORKER = fileURLToPath(new URL('../../support/settings-file-worker.ts', import.meta.url));

// A container gets its settings as a bind mount: no other file can take the place of that one.
describe('a settings file that is mounted', () => {
  let folder: string;

  before(function () {
    if (canUnshare(['--mount'])) return;
    console.log('      skipped: this machine allows no mounts (unshare --mount)');
    this.skip();
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-mount-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function inMount(script: string, ...args: readonly string[]): Promise<void> {
    const shell = `mount --bind ${folder}/real.json ${folder}/settings.json && ${script}`;
    await promisify(execFile)('unshare', ['--mount', 'sh', '-c', shell, 'sh', ...args]);
  }

  it('cannot be replaced: this test meets the error that it is about', async () => {
    for (const name of ['real.json', 'settings.json', 'other.json']) {
      writeFileSync(join(folder, name), '{}');
    }
    await assert.rejects(inMount(`mv ${folder}/other.json ${folder}/settings.json`), /busy/i);
  });

  it('is written in place by several processes, which lose no change of each other', async () => {
    const [real, mounted] = [join(folder, 'real.json'), join(folder, 'settings.json')];
    writeFileSync(real, '{"values": {"limit": 7}, "comment": "ours"}');
    writeFileSync(mounted, '');
    const node = `${process.execPath} --conditions=otel-token-meter/source ${WORKER} ${mounted}`;
    await inMount(`{ ${node} a 10 & ${node} b 10 & wait; }`);
    const written = JSON.parse(readFileSync(real, 'utf8')) as Record<string, unknown>;
    // What stood in it by hand is the first version.
    assert.equal(written['version'], 21);
    assert.equal(written['comment'], 'ours');
    assert.equal(readFileSync(mounted, 'utf8'), '', 'what the mount covers is untouched');
    const settings = new SettingsService<{ limit: number }>({
      schema: { limit: { type: 'number', default: 0, description: '' } },
      store: new FileSettingsStore({ path: real }),
    });
    // The log lies beside the mounted path, as the processes saw it.
    rmSync(mounted);
    const log = readFileSync(`${mounted}.audit.jsonl`, 'utf8').trim().split('\n');
    await settings.start();
    assert.equal(settings.version, 21);
    await settings.close();
    const entries = log.map((line) => JSON.parse(line) as { version: number; to: object });
    assert.deepEqual(
      entries.map(({ version }) => version),
      Array.from({ length: 21 }, (_, i) => i + 1),
    );
    assert.deepEqual(entries.at(-1)?.to, written['values'], 'the log ends with what is in force');
    assert.deepEqual(
      readdirSync(folder).filter((name) => /tmp|lock/.test(name)),
      [],
    );
  });
});
