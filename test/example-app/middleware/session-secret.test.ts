import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sessionSecret } from '../../../example-app/middleware/session-secret.ts';

const MODULE = fileURLToPath(
  new URL('../../../example-app/middleware/session-secret.ts', import.meta.url),
);

describe('the session secret', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-secret-'));
    path = join(folder, 'state/session-secret');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is made once, random, and kept for its owner alone', () => {
    const secret = sessionSecret(undefined, path);
    assert.match(secret, /^[\w-]{43}$/);
    assert.equal(sessionSecret(undefined, path), secret);
    assert.equal(readFileSync(path, 'utf8'), secret);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    assert.notEqual(sessionSecret(undefined, join(folder, 'other')), secret);
  });

  it('may be given, if it is long enough; a short one is not shown', () => {
    const given = 'x'.repeat(32);
    assert.equal(sessionSecret(given, path), given);
    assert.throws(
      () => sessionSecret('x-short-secret', path),
      ({ message }: Error) =>
        /too short; allowed: 32/.test(message) && !message.includes('x-short'),
    );
  });

  it('is one for processes that start at the same time', async () => {
    const program = `import { sessionSecret } from ${JSON.stringify(MODULE)};
      process.stdout.write(sessionSecret(undefined, ${JSON.stringify(path)}));`;
    const run = promisify(execFile);
    const args = ['--input-type=module', '-e', program];
    const made = await Promise.all(
      Array.from({ length: 4 }, async () => (await run(process.execPath, args)).stdout),
    );
    assert.equal(new Set(made).size, 1);
    assert.deepEqual(readdirSync(dirname(path)), ['session-secret']);
  });

  it('is new with each start where it cannot be kept, or what is kept is none', () => {
    mkdirSync(path, { recursive: true });
    assert.notEqual(sessionSecret(undefined, path), sessionSecret(undefined, path));
    const short = join(folder, 'short');
    writeFileSync(short, 'guessable');
    chmodSync(short, 0o600);
    assert.notEqual(sessionSecret(undefined, short), 'guessable');
  });
});
