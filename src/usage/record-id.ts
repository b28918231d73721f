import { randomFillSync, randomInt } from 'node:crypto';

/** Random bytes and their digits, drawn for many ids at once. */
const random = Buffer.allocUnsafe(4000);
const BYTES_AN_ID = 10;
let randomHex = '';
let used = random.length;

const LATEST_MS = 2 ** 48 - 1;
/** The calls of one millisecond share the first half of their ids. */
let millisecond = { at: Number.NaN, hex: '' };

/** UUIDv7 of RFC 9562: 48 bits of time, then random bits. */
export function recordId(wallMs: number): string {
  if (used === random.length) {
    randomFillSync(random);
    randomHex = random.toString('hex');
    used = 0;
  }
  // Slices of up to 12 characters are copies: no id keeps all of the digits alive.
  const variant = '89ab'[(random[used] ?? 0) & 3] ?? '8';
  const at = 2 * used + 2;
  used += BYTES_AN_ID;
  return (
    `${timeDigits(Math.trunc(wallMs))}-7${randomHex.slice(at, at + 3)}` +
    `-${variant}${randomHex.slice(at + 3, at + 6)}-${randomHex.slice(at + 6, at + 18)}`
  );
}

function timeDigits(ms: number): string {
  if (ms !== millisecond.at) {
    const digits = Math.min(Math.max(ms, 0), LATEST_MS).toString(16).padStart(12, '0');
    millisecond = { at: ms, hex: `${digits.slice(0, 8)}-${digits.slice(8)}` };
  }
  return millisecond.hex;
}

const DIGITS = 1_000_000;
let sequence = randomInt(DIGITS);
/** The calls of one second share all of their time down to it. */
let second = { at: Number.NaN, iso: '' };

/**
 * RFC 3339 with nine fraction digits. The digits below a millisecond are a process-random start plus a
 * sequence: two calls of one process share a timestamp only after a million in one millisecond.
 */
export function recordTime(wallMs: number): string {
  sequence = (sequence + 1) % DIGITS;
  const ms = Math.trunc(wallMs);
  const at = Math.floor(ms / 1000);
  if (at !== second.at) second = { at, iso: new Date(at * 1000).toISOString().slice(0, -4) };
  const nanoseconds = (ms - at * 1000) * DIGITS + sequence;
  return `${second.iso}${String(nanoseconds).padStart(9, '0')}Z`;
}

/** Seconds and nanoseconds since 1970 of a `recordTime`. */
export function hrTimeOf(time: string): [number, number] {
  const dot = time.indexOf('.');
  return [Date.parse(`${time.slice(0, dot)}Z`) / 1000, Number(time.slice(dot + 1, -1))];
}
