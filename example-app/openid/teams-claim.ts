import { type Claims, valueAt } from './roles-claim.ts';

/**
 * The teams of a person: a name, or a list of names. Of any other claim, and without one, there are
 * none: who is unknown sees nothing.
 */
export function teamsIn(claims: Claims, claim: string): readonly string[] {
  const value = valueAt(claims, claim);
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isSound = names.every((name) => typeof name === 'string' && name !== '');
  return isSound ? (names as readonly string[]) : [];
}
