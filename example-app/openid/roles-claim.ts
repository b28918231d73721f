import type { Role } from '../middleware/access.ts';

/** Which claim holds the roles of a person, and what they are called there. */
export interface RolesClaim {
  /** Its name, or a path into nested claims such as `realm_access.roles`. */
  readonly claim: string;
  readonly admin: readonly string[];
  readonly viewer: readonly string[];
}

export type Claims = Readonly<Record<string, unknown>>;

/** Undefined: this person has no business here. */
export function roleIn(claims: Claims, { claim, admin, viewer }: RolesClaim): Role | undefined {
  // Anyone can enter the address of somebody else as long as nobody verifies it.
  if (claim === 'email' && claims['email_verified'] !== true) return undefined;
  const found = valueAt(claims, claim);
  const values: readonly unknown[] = Array.isArray(found) ? found : [found];
  if (admin.some((name) => values.includes(name))) return 'admin';
  return viewer.some((name) => values.includes(name)) ? 'viewer' : undefined;
}

/** A claim may have dots in its name, as the addresses have that some providers demand. */
export function valueAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Claims)[name];
  }
  return value;
}
