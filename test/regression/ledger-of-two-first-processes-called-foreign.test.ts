import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { prepareSchema } from '../../exporter/sqlite/schema.ts';

/** Owner and tables were read one after the other: in between, another process had made them. */
describe('regression: two processes that open a new ledger at once', () => {
  it('take it for their own, whatever one does between two reads of the other', () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-ledger-'));
    const path = join(folder, 'usage.db');
    const first = new DatabaseSync(path);
    const prepare = first.prepare.bind(first);
    let reads = 0;
    try {
      Object.assign(first, {
        prepare: (sql: string) => {
          if (reads++ === 0) return prepare(sql);
          const second = new DatabaseSync(path);
          try {
            prepareSchema(second);
          } catch {
            // Locked out by the first.
          } finally {
            second.close();
          }
          return prepare(sql);
        },
      });
      prepareSchema(first);
      assert.ok(prepare("SELECT 1 FROM sqlite_schema WHERE name = 'usage'").get());
    } finally {
      first.close();
      rmSync(folder, { recursive: true });
    }
  });
});
