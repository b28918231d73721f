import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerFile, type LedgerRepair } from '../../../../exporter/sqlite/write/ledger-file.ts';
import { childrenOf, leavesBelow } from '../../../support/sqlite-pages.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');
const CALLS = 20_000;

describe('repair of a damaged ledger', () => {
  let folder: string;
  let whole: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-repair-'));
    whole = join(folder, 'whole.db');
    const file = new LedgerFile({ path: whole, busyTimeoutMs: 1000 });
    file.write(
      Array.from({ length: CALLS }, (_, i) =>
        usageRecord(T0 + i * 1000, { userId: `user-${i % 500}` }),
      ),
    );
    file.close();
  });
  beforeEach(() => {
    path = join(mkdtempSync(join(folder, 'damaged-')), 'usage.db');
    copyFileSync(whole, path);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const read = <T>(sql: string): T => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return Object.values(database.prepare(sql).get() ?? {})[0] as T;
    } finally {
      database.close();
    }
  };
  /** Numbers of the leaf pages of a table or index, in the order of its keys. */
  const leavesOf = (name: string): number[] => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const size = Number(Object.values(database.prepare('PRAGMA page_size').get() ?? {})[0]);
      const root = Number(
        database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(name)?.[
          'rootpage'
        ],
      );
      return leavesBelow(readFileSync(path), size, root);
    } finally {
      database.close();
    }
  };
  const overwrite = (page: number, bytes: number, at = 0): void => {
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(bytes, 0xff), 0, bytes, (page - 1) * 4096 + at);
    closeSync(file);
  };
  const repairAfterWrite = (userId: string, at: number): LedgerRepair | undefined => {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    let repair: LedgerRepair | undefined;
    file.onRepaired = (done) => (repair = done);
    // Into every leaf of the user index: one of them is damaged.
    file.write(Array.from({ length: 500 }, (_, i) => usageRecord(at, { userId: `${userId}${i}` })));
    file.close();
    return repair;
  };

  it('keeps every call when a page of an index is damaged', () => {
    for (const page of leavesOf('usage_by_user').slice(3, 6)) overwrite(page, 4096);
    const repair = repairAfterWrite('user-', T0 + 1);
    assert.ok(repair);
    assert.equal(read('SELECT count(*) FROM usage'), CALLS + 500);
    assert.equal(read('SELECT sum(calls) FROM usage_hour'), CALLS + 500);
    assert.equal(read("SELECT count(*) FROM usage WHERE user = 'user-7'"), CALLS / 500 + 1);
    assert.equal(read('PRAGMA integrity_check'), 'ok');
  });

  it('makes an index with wrong entries again in place', () => {
    // The number of cells of a leaf: fewer entries than calls.
    const [, , page = 0] = leavesOf('usage_by_user');
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.from([0xff, 0xff]), 0, 2, (page - 1) * 4096 + 3);
    closeSync(file);
    const repair = repairAfterWrite('user-', T0 + 1);
    assert.ok(repair);
    assert.equal(read('SELECT count(*) FROM usage'), CALLS + 500);
    assert.equal(read('PRAGMA integrity_check'), 'ok');
  });

  it('copies the calls around damaged pages of the table, and says how many', () => {
    const leaves = leavesOf('usage');
    const damaged = [leaves[10], leaves[11], leaves[200]];
    for (const page of damaged) overwrite(page ?? 0, 4096);
    // The newest call goes to the last leaf: only what touches a damaged page notices it.
    const repair = repairAfterWrite('new-', T0 + 11 * 1000 * (CALLS / leaves.length));
    assert.equal(repair?.how, 'copied');
    assert.ok(repair.how === 'copied');
    assert.match(repair.aside, /\.corrupted-/);
    const perLeaf = CALLS / leaves.length;
    const stored = read<number>('SELECT count(*) FROM usage');
    assert.equal(stored, repair.records + 500);
    assert.ok(repair.records >= CALLS - 5 * perLeaf && repair.records < CALLS, `${repair.records}`);
    assert.equal(read('SELECT sum(calls) FROM usage_hour'), stored);
    assert.equal(read('PRAGMA integrity_check'), 'ok');
    assert.ok(readdirSync(dirname(path)).some((name) => name.includes('.corrupted-')));
  });

  it('copies the calls of all leaves but those below a damaged inner page', () => {
    const database = new DatabaseSync(path, { readOnly: true });
    const root = Number(
      database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'usage'").get()?.[
        'rootpage'
      ],
    );
    database.close();
    const inner = childrenOf(readFileSync(path), 4096, root);
    overwrite(inner[1] ?? 0, 4096);
    const repair = repairAfterWrite('new-', T0 + (CALLS / inner.length) * 1500);
    assert.ok(repair?.how === 'copied');
    assert.ok(repair.records > CALLS * 0.3 && repair.records < CALLS, `${repair.records}`);
    assert.equal(read('PRAGMA integrity_check'), 'ok');
  });
});
