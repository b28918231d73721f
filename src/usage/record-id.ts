import { randomFillSync, randomInt } from 'node:crypto';

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Random bytes, drawn for many ids at once. */
const random = new Uint8Array(4096);
const BYTES_AN_ID = 16;
let used = random.length;

/** UUIDv7 of RFC 9562: 48 bits of time, then random bits. */
export function recordId(wallMs: number): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  const at = used;
  used += BYTES_AN_ID;
  const ms = Math.trunc(wallMs);
  const high = Math.floor(ms / 2 ** 24);
  const version = 0x70 | (byte(at) & 0x0f);
  const variant = 0x80 | (byte(at + 2) & 0x3f);
  return (
    `${hex(high >> 16)}${hex(high >> 8)}${hex(high)}${hex(ms >> 16)}-${hex(ms >> 8)}${hex(ms)}` +
    `-${hex(version)}${hex(byte(at + 1))}-${hex(variant)}${hex(byte(at + 3))}-${hex(byte(at + 4))}` +
    `${hex(byte(at + 5))}${hex(byte(at + 6))}${hex(byte(at + 7))}${hex(byte(at + 8))}${hex(byte(at + 9))}`
  );
}

function byte(index: number): number {
  return random[index] ?? 0;
}

/** The lowest eight bits; those of a number above 2^31 too, as the shift operators cut it. */
function hex(bits: number): string {
  return HEX[bits & 0xff] ?? '';
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
  return `${second.iso}${digits(ms - at * 1000, 3)}${digits(sequence, 6)}Z`;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/** Seconds and nanoseconds since 1970 of a `recordTime`. */
export function hrTimeOf(time: string): [number, number] {
  const dot = time.indexOf('.');
  return [Date.parse(`${time.slice(0, dot)}Z`) / 1000, Number(time.slice(dot + 1, -1))];
}
