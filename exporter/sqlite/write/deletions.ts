import type { DatabaseSync } from 'node:sqlite';

/** Inside the transaction that deletes rows with names of users, whose bytes stay in the file until it is rewritten. */
export function noteDeletion(database: DatabaseSync): void {
  database.exec(
    `INSERT INTO usage_deletions (place, deletions, rewritten) VALUES (1, 1, 0)
     ON CONFLICT DO UPDATE SET deletions = deletions + 1`,
  );
}

/** Whether bytes of deleted rows may be in the file or in its log. */
export function isRewriteDue(database: DatabaseSync): boolean {
  const sql = 'SELECT 1 FROM usage_deletions WHERE deletions > rewritten';
  return database.prepare(sql).get() !== undefined;
}

/**
 * Old copies of a row stay in unused parts of pages that were split or joined, too: only a file that is rewritten
 * has none. False where another process holds the ledger for too long.
 */
export function rewrite(database: DatabaseSync): boolean {
  const { deletions } = database.prepare('SELECT deletions FROM usage_deletions').get() ?? {};
  try {
    database.exec('VACUUM');
    const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() ?? {};
    if (Number(busy) !== 0) return false;
    // What another process has deleted since is not among them.
    database.prepare('UPDATE usage_deletions SET rewritten = ?').run(Number(deletions ?? 0));
    return true;
  } catch {
    return false;
  }
}
