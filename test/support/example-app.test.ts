import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startExampleApp } from './example-app.ts';

describe('startExampleApp', () => {
  it('leaves no process behind when the start takes too long', async function () {
    if (process.platform !== 'linux') this.skip();
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'example-app-')));
    try {
      await assert.rejects(startExampleApp({ directory, startTimeoutMs: 50 }), /not within 50 ms/);
      assert.deepEqual(processesIn(directory), []);
    } finally {
      for (const pid of processesIn(directory)) process.kill(Number(pid), 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

/** Ids of the processes whose working directory this is. */
function processesIn(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === directory;
    } catch {
      return false;
    }
  });
}
