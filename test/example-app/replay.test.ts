import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteUsageReader } from 'otel-token-meter/exporter';
import { readConversations } from '../../example-app/demo-model/recorded-conversations.ts';
import { cookbookSums } from '../support/cookbook-count.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CONVERSATIONS = fileURLToPath(new URL('../fixtures/conversations.jsonl', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('npm run replay', function () {
  this.timeout(90_000);
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'replay-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  async function replay(...args: readonly string[]): Promise<Ended> {
    const env = {
      ...process.env,
      TOKEN_METER_SQLITE_PATH: join(directory, 'usage.db'),
      TOKEN_METER_SETTINGS_PATH: join(directory, 'settings.json'),
    };
    return await new Promise((resolve) => {
      execFile(
        process.execPath,
        ['--conditions=otel-token-meter/source', 'example-app/replay.ts', ...args],
        { cwd: ROOT, env },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  }

  it('records every call of 630 real conversations with the sums of an independent count', async () => {
    const { code, stdout, stderr } = await replay(CONVERSATIONS);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^1957 calls, 0 failed/);
    assert.match(stderr, /100 % {2}1957\/1957 calls/);

    const expected = cookbookSums(await readConversations(CONVERSATIONS));
    assert.equal(expected.calls, 1957);
    const reader = new SqliteUsageReader({ path: join(directory, 'usage.db') });
    try {
      const { total } = await reader.summary({
        from: new Date(Date.now() - 3_600_000),
        to: new Date(Date.now() + 60_000),
      });
      assert.equal(total.calls, expected.calls);
      assert.equal(total.inputTokens, expected.inputTokens);
      assert.equal(total.outputTokens, expected.outputTokens);
      assert.equal(total.errors + total.aborted, 0);
      assert.equal(total.unpricedCalls, 0);
    } finally {
      await reader.close();
    }
  });

  it('says what is wrong with its arguments and its file', async () => {
    const missing = await replay();
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /Usage: npm run replay/);
    assert.equal((await replay('--help')).code, 0);
    const wrong = await replay(CONVERSATIONS, '--rate', 'fast');
    assert.deepEqual([wrong.code, /--rate is "fast"; allowed/.test(wrong.stderr)], [2, true]);
    const nowhere = await replay(join(directory, 'none.jsonl'));
    assert.deepEqual([nowhere.code, /no such file/.test(nowhere.stderr)], [1, true]);
    const broken = join(directory, 'broken.jsonl');
    writeFileSync(broken, '\n{"id": 1}\n');
    assert.match((await replay(broken)).stderr, /broken\.jsonl:2: not a conversation/);
  });
});
