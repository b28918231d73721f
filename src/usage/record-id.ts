import { randomInt, randomUUID } from 'node:crypto';

/** UUIDv7 of RFC 9562: 48 bits of time, then random bits (here those of a version 4 UUID). */
export function recordId(wallMs: number): string {
  const time = Math.trunc(wallMs).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
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
