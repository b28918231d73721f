import { TokenMeterError } from '../errors.ts';

/** Throws `INVALID_CONFIG` that names an entry of the price file and the allowed values. */
export function fileProblem(where: string, value: unknown, allowed: string): never {
  throw new TokenMeterError('INVALID_CONFIG', `prices: ${where} must be ${allowed}`, {
    value,
    allowed,
  });
}

/** A list of objects, or nothing. */
export function objectsAt(
  content: Readonly<Record<string, unknown>>,
  member: string,
): readonly (readonly [where: string, entry: Readonly<Record<string, unknown>>])[] {
  const list = content[member];
  if (list === undefined) return [];
  if (!Array.isArray(list)) return fileProblem(member, list, 'a list');
  return list.map((entry: unknown, index) => {
    const where = `${member}[${index}]`;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      return fileProblem(where, entry, 'an object');
    }
    return [where, entry as Readonly<Record<string, unknown>>];
  });
}

/** Rejects members that nothing reads, which are typing errors. */
export function onlyMembers(
  entry: Readonly<Record<string, unknown>>,
  where: string,
  allowed: readonly string[],
): void {
  const wrong = Object.keys(entry).find((name) => !allowed.includes(name));
  if (wrong === undefined) return;
  fileProblem(where === '' ? wrong : `${where}.${wrong}`, entry[wrong], `one of ${allowed.join()}`);
}

export function positiveNumber(value: unknown, where: string, allowed: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  return fileProblem(where, value, allowed);
}
