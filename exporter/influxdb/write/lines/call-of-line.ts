import type { CallOfLine } from '../../../delivery/erased-users.ts';
import { USAGE_FIELDS } from '../../usage-schema.ts';

/** Quotes inside other strings and tags are escaped, and so is `=` in a tag. */
const USER = new RegExp(`[, ]${USAGE_FIELDS.user}="((?:[^"\\\\]|\\\\[^])*)"`);
const TIME = / (\d+)\d{6}\n?$/;

/** Of a line of the ledger; undefined for a call without a user, and for other lines. */
export function callOfLine(line: Buffer): CallOfLine | undefined {
  const text = line.toString();
  const [, user] = USER.exec(text) ?? [];
  const [, ms] = TIME.exec(text) ?? [];
  if (user === undefined || ms === undefined) return undefined;
  return { user: user.replaceAll(/\\([\\"])/g, '$1'), timeMs: Number(ms) };
}
