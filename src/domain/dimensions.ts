import { idFrom } from './id-from.ts';

/** Dimensions of one record, the team included. */
export const DIMENSIONS_MAX = 8;

/** Longest value in UTF-16 units; what is longer is cut. */
export const DIMENSION_VALUE_MAX = 256;

/** The dimension that is always there, and a separate member. */
export const TEAM = 'team';

export const DIMENSION_NAME: RegExp = /^[a-z][a-z0-9_]{0,31}$/;

/**
 * Whether a dimension may have this name: 1 to 32 lower-case letters, digits and `_`, beginning with a
 * letter. They are names of columns, tags and members: none may be a member that every object has.
 */
export function isDimensionName(name: string): boolean {
  return DIMENSION_NAME.test(name) && !(name in Object.prototype);
}

/** Names as an administrator lists them, in the order given: each once, without the team. */
export function dimensionNames(listed: readonly string[]): readonly string[] {
  return [...new Set(listed)].filter((name) => name !== TEAM);
}

/** A team as records hold it, which is what its switches are asked for. Undefined where records have none. */
export function recordedTeam(given: unknown): string | undefined {
  return dimensionValue(given)?.value;
}

/** The value as records hold it, and whether it had to be cut. Undefined for what is no text, number or id. */
export function dimensionValue(
  given: unknown,
): { readonly value: string; readonly isCut: boolean } | undefined {
  const text = idFrom(given)?.toWellFormed();
  if (text === undefined) return undefined;
  if (text.length <= DIMENSION_VALUE_MAX) return { value: text, isCut: false };
  const end = text.codePointAt(DIMENSION_VALUE_MAX - 1) ?? 0;
  const isInsidePair = end > 0xffff;
  return { value: text.slice(0, DIMENSION_VALUE_MAX - Number(isInsidePair)), isCut: true };
}
