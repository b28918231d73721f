/** Primary result codes, https://sqlite.org/rescode.html */
export const SQLITE_BUSY = 5;
export const SQLITE_CORRUPT = 11;
export const SQLITE_CANTOPEN = 14;
export const SQLITE_NOTADB = 26;
export const SQLITE_READONLY = 8;

/** 0 for what is no error of SQLite. */
export function resultCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  // The low byte is the primary code; the rest says where it came from.
  return typeof code === 'number' ? code & 0xff : 0;
}
