import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LedgerFile } from '../../exporter/sqlite/write/ledger-file.ts';
import { usageRecord } from '../support/usage-logs.ts';

const NOBODY = 65_534;

describe('a ledger in a folder that the reader cannot write', () => {
  let folder: string;
  let path: string;

  before(function () {
    // Only root can become somebody who may not write.
    if (process.getuid?.() !== 0) this.skip();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-read-only-'));
    path = join(folder, 'usage.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const readAsNobody = async (): Promise<string> => {
    const script = `
      import { LedgerView } from '${import.meta.resolve('../../exporter/sqlite/read/ledger-view.ts')}';
      process.setgid(${NOBODY});
      process.setuid(${NOBODY});
      const view = new LedgerView(${JSON.stringify(path)}, () => {});
      try {
        console.log(view.records({}).records.length);
      } catch (error) {
        console.log(error.message);
      }
    `;
    const args = ['--conditions=otel-token-meter/source', '--input-type=module', '-e', script];
    return (await promisify(execFile)(process.execPath, args)).stdout.trim();
  };
  const readable = (...ends: string[]): void => {
    chmodSync(folder, 0o755);
    for (const end of ends) {
      chmodSync(path + end, 0o644);
      chownSync(path + end, 0, 0);
    }
  };

  it('is read as it stands', async () => {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write([usageRecord(Date.now()), usageRecord(Date.now())]);
    file.close();
    readable('');
    assert.equal(await readAsNobody(), '2');
  });

  it('says what to do when records are missing from it', async () => {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write([usageRecord(Date.now())]);
    readable('', '-wal');
    rmSync(`${path}-shm`);
    assert.match(await readAsNobody(), /newest records are in the log beside it.*backup/);
    file.close();
  });
});
