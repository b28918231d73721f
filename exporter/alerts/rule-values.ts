import { TokenMeterError } from '../../src/errors.ts';

export function objectOf<T>(value: unknown, at: string, members?: readonly string[]): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(at, value, 'an object');
  }
  const unknown = Object.keys(value as object).find((key) => !(members?.includes(key) ?? true));
  if (unknown === undefined || members === undefined) return value as T;
  throw new TokenMeterError(
    'INVALID_OPTION',
    `alerts: ${at}.${unknown} is unknown; allowed: ${members.join(', ')}`,
    { value: unknown, allowed: members.join(', ') },
  );
}

export function isNumber(
  value: unknown,
  min: number,
  max: number = Number.MAX_VALUE,
): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

export function milliseconds(key: string, value: unknown, min: number, max: number): void {
  if (!isNumber(value, min, max))
    refuse(key, value, `a number of milliseconds from ${min} to ${max}`);
}

export function isTimeZone(value: unknown): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: String(value) });
    return typeof value === 'string';
  } catch {
    return false;
  }
}

export function oneOf(
  key: string,
  value: unknown,
  allowed: readonly string[],
  shown: string = allowed.join(', '),
): void {
  if (typeof value !== 'string' || !allowed.includes(value)) refuse(key, value, shown);
}

export function refuse(key: string, value: unknown, allowed: string): never {
  throw new TokenMeterError('INVALID_OPTION', `alerts: ${key} must be ${allowed}`, {
    value,
    allowed,
  });
}
