import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lintOverrides, withRooms } from '../scripts/rooms/made-from-rooms.ts';
import { rooms } from '../scripts/rooms/rooms.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('rooms', () => {
  it('stand one above the other: a room imports only rooms listed before it', () => {
    const seen = new Set<string>();
    for (const { path, imports } of rooms) {
      for (const name of imports) assert.ok(seen.has(name), `${path} imports ${name}`);
      seen.add(path);
    }
  });

  it('are all that there is: every source file belongs to one', () => {
    const files = execFileSync('git', ['ls-files', '--', 'src/*.ts', 'exporter/*.ts'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const entries = ['src/index.ts', 'src/register.ts', 'exporter/index.ts'];
    const homeless = files
      .trim()
      .split('\n')
      .filter((file) => !entries.includes(file))
      .filter((file) => !rooms.some(({ path }) => file === path || file.startsWith(`${path}/`)));
    assert.deepEqual(homeless, []);
  });

  it('are what lint enforces and the document shows (npm run build:rooms)', () => {
    const { overrides } = JSON.parse(read('.oxlintrc.json')) as { overrides: unknown };
    assert.deepEqual(overrides, lintOverrides(rooms));
    const compact = (text: string): string => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');
    const document = read('docs/architecture.md');
    assert.equal(compact(document), compact(withRooms(document, rooms)));
  });
});

describe('the drawing', () => {
  it('puts every room above those it imports', () => {
    const floors = read('docs/architecture.md').matchAll(/^ *(\d+) +│ ([^│\n]*)(?:│ ?(.*))?$/gm);
    const floorOf = new Map<string, number>();
    for (const [, floor, src = '', exporter = ''] of floors) {
      for (const name of src.match(/\S+/g) ?? []) floorOf.set(`src/${name}`, Number(floor));
      for (const name of exporter.match(/\S+/g) ?? []) {
        floorOf.set(`exporter/${name}`, Number(floor));
      }
    }
    assert.deepEqual([...floorOf.keys()].sort(), rooms.map(({ path }) => path).sort());
    for (const { path, imports } of rooms) {
      for (const name of imports) {
        assert.ok(floorOf.get(path)! > floorOf.get(name)!, `${path} imports ${name}`);
      }
    }
  });
});

describe('lint', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-rooms-'));
    copyFileSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const lint = (files: Readonly<Record<string, string>>): { code: number; output: string } => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/oxlint'), [], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { code: status ?? -1, output: stdout };
  };
  const used = 'export const used: number = 1;\n';

  it('passes an import from a floor below', () => {
    const { code, output } = lint({
      'src/domain/used.ts': used,
      'src/call/user.ts': "export { used } from '../domain/used.ts';\n",
    });
    assert.equal(code, 0, output);
  });

  const wrong: readonly (readonly [file: string, from: string, target: string])[] = [
    ['src/call/user.ts', '../usage/used.ts', 'src/usage/used.ts'],
    ['src/providers/deep/user.ts', '../../usage/used.ts', 'src/usage/used.ts'],
    ['src/domain/user.ts', '../call/used.ts', 'src/call/used.ts'],
    ['src/tokens/user.ts', '../domain/used.ts', 'src/domain/used.ts'],
    ['src/usage/emit/user.ts', '../../call/used.ts', 'src/call/used.ts'],
    ['src/usage/user.ts', '../metering.ts', 'src/metering.ts'],
    ['src/cli/user.ts', '../../exporter/spool/used.ts', 'exporter/spool/used.ts'],
    ['exporter/spool/user.ts', '../sqlite/used.ts', 'exporter/sqlite/used.ts'],
    ['exporter/ledger/queries/user.ts', '../../health/used.ts', 'exporter/health/used.ts'],
    ['exporter/influxdb/read/user.ts', '../../sqlite/used.ts', 'exporter/sqlite/used.ts'],
    ['exporter/sqlite/user.ts', '../../src/call/used.ts', 'src/call/used.ts'],
    ['example-app/user.ts', '../src/call/used.ts', 'src/call/used.ts'],
  ];
  for (const [file, from, target] of wrong) {
    it(`refuses ${target} in ${file}`, () => {
      const { code, output } = lint({
        [target]: used,
        [file]: `export { used } from '${from}';\n`,
      });
      assert.equal(code, 1, output);
      assert.match(output, /no-restricted-imports/);
    });
  }

  it('refuses types from a wrong floor too', () => {
    const { code, output } = lint({
      'src/usage/used.ts': 'export type Used = number;\n',
      'src/call/user.ts':
        "import type { Used } from '../usage/used.ts';\nexport type User = Used[];\n",
    });
    assert.equal(code, 1, output);
  });

  it('refuses a circle, also one of types alone', () => {
    const { code, output } = lint({
      'src/call/a.ts': "import type { B } from './b.ts';\nexport type A = B[];\n",
      'src/call/b.ts': "import type { A } from './a.ts';\nexport type B = A[];\n",
    });
    assert.equal(code, 1, output);
    assert.match(output, /no-cycle/);
  });
});
