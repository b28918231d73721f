import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder, makeFolderSync } from '../../src/host/make-folder.ts';

const IMPORTS = `
  import { InfluxUsageProcessor } from '${import.meta.resolve('../../exporter/influxdb/write/influx-usage-processor.ts')}';
  import { SqliteUsageProcessor } from '${import.meta.resolve('../../exporter/sqlite/write/sqlite-usage-processor.ts')}';
  import { logOf, usageRecord } from '${import.meta.resolve('../support/usage-logs.ts')}';
`;

/** Runs in a process of its own: what hangs there must not hang the tests. */
async function lastLine(script: string): Promise<string> {
  const args = ['--input-type=module', '-e', IMPORTS + script];
  const options = { timeout: 15_000, killSignal: 'SIGKILL' as const };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return stdout.trim().split('\n').at(-1) ?? '';
}

/** A recursive `mkdir` below /proc never returned, in a thread that then could not be ended. */
describe('regression: a folder that cannot be made below /proc', () => {
  let folder: string;

  before(function () {
    if (!existsSync('/proc/self')) this.skip();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-folder-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('does not hold up the shutdown of the SQLite exporter, nor the end of the process', async () => {
    const dropped = await lastLine(`
      const processor = new SqliteUsageProcessor({ path: '/proc/nowhere/deep/usage.db' });
      processor.onEmit(logOf(usageRecord(Date.now())));
      await processor.shutdown();
      console.log(JSON.stringify(processor.status().dropped));
    `);
    assert.equal(dropped, '{"unwritable":1}');
  });

  it('does not hold up process.exit() with records that wait', async () => {
    const script = (make: string): string => `
      const processor = ${make};
      processor.onEmit(logOf(usageRecord(Date.now())));
      process.on('exit', () => console.log('exits'));
      process.exit(0);
    `;
    const sqlite = `new SqliteUsageProcessor({ path: '/proc/nowhere/deep/usage.db' })`;
    assert.equal(await lastLine(script(sqlite)), 'exits');
    const influx = `new InfluxUsageProcessor({ url: 'http://127.0.0.1:9', bucket: 'b', spool: { directory: '/proc/nowhere' } })`;
    assert.equal(await lastLine(script(influx)), 'exits');
  });

  it('makes folders in depth, takes those that are there, and tells what is in the way', async () => {
    const deep = join(folder, 'a', 'b', 'c');
    await Promise.all([makeFolder(deep), makeFolder(deep), makeFolder(join(folder, 'a'))]);
    makeFolderSync(join(deep, 'd', 'e'), 0o700);
    makeFolderSync(deep);
    assert.ok(existsSync(join(deep, 'd', 'e')));
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await assert.rejects(makeFolder(file), { code: 'EEXIST' });
    await assert.rejects(makeFolder(join(file, 'a', 'b')), { code: 'ENOTDIR' });
    assert.throws(() => makeFolderSync(join(file, 'a', 'b')), { code: 'ENOTDIR' });
  });
});
