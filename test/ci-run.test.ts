import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const GATE = fileURLToPath(new URL('../.ci/run', import.meta.url));
const SERVERS = [
  'influxd',
  'redis-server',
  'victoria-metrics',
  'chromium',
  'chromium-headless-shell',
];

describe('.ci/run', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-ci-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** With an `npm` that prints this for the plain run and exits so, and this for the other tests; other steps pass. */
  function gate(
    printed: string,
    exitCode: number,
    further = '',
  ): { status: number | null; last: string } {
    const stub = (name: string, text: string): void =>
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    for (const server of SERVERS) stub(server, 'exit 1');
    writeFileSync(join(folder, 'printed'), printed);
    writeFileSync(join(folder, 'further'), further);
    stub(
      'npm',
      `case "$*" in
        cit) cat "${join(folder, 'printed')}"; exit ${exitCode};;
        *test:gate) cat "${join(folder, 'further')}";;
      esac`,
    );
    const path = [folder, process.env['PATH']].join(delimiter);
    const { status, stdout } = spawnSync('bash', [GATE], {
      env: { ...process.env, PATH: path },
      encoding: 'utf8',
    });
    return { status, last: stdout.trimEnd().split('\n').at(-1) ?? '' };
  }

  it('closes with the counts of the run, alone on a line', () => {
    const printed =
      '    ✔ 12 passing trains, 3 failing ones\n\n\n  2831 passing (3m)\n  2 pending\n\n';
    assert.deepEqual(gate(printed, 0), { status: 0, last: '2831 passed, 0 failed' });
  });

  it('adds the tests of both runs', () => {
    const further = gate('  2831 passing (3m)\n', 0, '  170 passing (1m)\n');
    assert.deepEqual(further, { status: 0, last: '3001 passed, 0 failed' });
  });

  it('keeps that line when tests fail', () => {
    const printed = '\n  40 passing (2s)\n  3 failing\n\n  1) a: b\n     1 passing\n';
    assert.deepEqual(gate(printed, 3), { status: 3, last: '40 passed, 3 failed' });
  });

  it('fails when nothing ran', () => {
    assert.deepEqual(gate('\n  0 passing (1ms)\n\n', 0), { status: 1, last: '0 passed, 0 failed' });
    assert.deepEqual(gate('', 0), { status: 1, last: '0 passed, 0 failed' });
  });
});
