import type * as Sqlite from 'node:sqlite';
import { TokenMeterError } from '../../src/errors.ts';

/**
 * Loaded when first used, not by the import of this package: Node 22 prints a warning when it is
 * loaded, and hosts that never use SQLite should not see it.
 */
export function loadSqlite(): typeof Sqlite {
  const sqlite = process.getBuiltinModule('node:sqlite') as typeof Sqlite | undefined;
  if (sqlite !== undefined) return sqlite;
  throw new TokenMeterError('MISSING_DEPENDENCY', 'this Node has no node:sqlite', {
    value: process.version,
    allowed: 'Node 22.18 or newer',
  });
}
