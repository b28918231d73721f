import type { DatabaseSync } from 'node:sqlite';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { erasedUserDigest } from '../../../src/domain/erased-user.ts';

/** Longer than records wait for a ledger: those of a process that ended are taken over within minutes. */
const KEPT_MS = 30 * 86_400_000;

/** Notes that the calls which a user has made until now were erased; inside a transaction. */
export function noteErasure(database: DatabaseSync, user: string, nowMs: number): void {
  database.prepare('DELETE FROM usage_erased WHERE until_ms < ?').run(nowMs - KEPT_MS);
  database
    .prepare('INSERT OR REPLACE INTO usage_erased VALUES (?, ?)')
    .run(erasedUserDigest(user), nowMs);
}

/** Records without those of erased users; inside the transaction that writes them. */
export function withoutErased(
  database: DatabaseSync,
  records: readonly UsageRecord[],
): readonly UsageRecord[] {
  const notes = database.prepare('SELECT user, until_ms FROM usage_erased').all();
  if (notes.length === 0) return records;
  const untilOf = new Map(notes.map(({ user, until_ms }) => [user, Number(until_ms)]));
  return records.filter(({ userId, time }) => {
    const until = userId === undefined ? undefined : untilOf.get(erasedUserDigest(userId));
    return until === undefined || Date.parse(time) > until;
  });
}
