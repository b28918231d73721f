import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** `admin` may change what `viewer` may only see. */
export type Role = 'viewer' | 'admin';

export interface Principal {
  /** For the audit log. */
  readonly name: string;
  readonly role: Role;
}

export interface Session {
  readonly principal: Principal;
  readonly expiresAt: Date;
}

export interface AccessOptions {
  /** One or several tokens, comma-separated, each `token` or `name:token`. */
  readonly adminTokens?: string | undefined;
  readonly viewerTokens?: string | undefined;
  readonly sessionHours?: number;
  readonly now?: () => number;
}

interface Credential {
  readonly principal: Principal;
  readonly digest: Buffer;
}

/** Who may come in: bearer tokens, and sessions made from them. */
export class Access {
  /** The token made up because no admin token is configured; for the sign-in link only. */
  readonly generatedToken: string | undefined;
  readonly #credentials: readonly Credential[];
  readonly #sessionKey: Buffer;
  readonly #sessionMs: number;
  readonly #now: () => number;

  constructor(options: AccessOptions = {}) {
    const given = [
      ...tokensOf(options.adminTokens, 'admin'),
      ...tokensOf(options.viewerTokens, 'viewer'),
    ];
    if (!given.some(({ principal }) => principal.role === 'admin')) {
      this.generatedToken = randomBytes(24).toString('base64url');
      given.push({ principal: { name: 'admin', role: 'admin' }, token: this.generatedToken });
    }
    this.#credentials = given.map(({ principal, token }) => ({ principal, digest: sha256(token) }));
    // Made from the tokens: every instance of a fleet reads the sessions of the others, and a
    // changed token ends all sessions.
    const secret = given.map(({ principal, token }) => JSON.stringify([principal, token])).sort();
    this.#sessionKey = Buffer.from(hkdfSync('sha256', secret.join('\n'), '', 'session', 32));
    this.#sessionMs = (options.sessionHours ?? 12) * 3_600_000;
    this.#now = options.now ?? Date.now;
  }

  /** Compares with every token, whichever fits, so that time tells nothing. */
  principalOfToken(token: string): Principal | undefined {
    const digest = sha256(token);
    let found: Principal | undefined;
    for (const credential of this.#credentials) {
      if (timingSafeEqual(credential.digest, digest)) found = credential.principal;
    }
    return found;
  }

  /** A signed cookie value. */
  createSession(principal: Principal): { readonly value: string; readonly expiresAt: Date } {
    const expiresAt = this.#now() + this.#sessionMs;
    const payload = Buffer.from(
      JSON.stringify({ ...principal, expiresAt, nonce: randomBytes(9).toString('base64url') }),
    ).toString('base64url');
    return { value: `${payload}.${this.#sign(payload)}`, expiresAt: new Date(expiresAt) };
  }

  sessionOf(value: string): Session | undefined {
    const [payload = '', signature = '', ...rest] = value.split('.');
    const expected = Buffer.from(this.#sign(payload));
    const given = Buffer.from(signature);
    if (rest.length > 0 || given.length !== expected.length) return undefined;
    if (!timingSafeEqual(given, expected)) return undefined;
    const { name, role, expiresAt } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
      name: string;
      role: Role;
      expiresAt: number;
    };
    if (expiresAt <= this.#now()) return undefined;
    return { principal: { name, role }, expiresAt: new Date(expiresAt) };
  }

  #sign(payload: string): string {
    return createHmac('sha256', this.#sessionKey).update(payload).digest('base64url');
  }
}

/** Without a configured token the application must not be reachable from elsewhere. */
export function mayListenOn(host: string, access: Access): boolean {
  return access.generatedToken === undefined || isLoopback(host);
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

/** The token is behind `#`, which browsers send to nobody and servers log nowhere. */
export function signInLink(origin: string, access: Access): string | undefined {
  return access.generatedToken && `${origin}/sign-in#${access.generatedToken}`;
}

function tokensOf(
  list: string | undefined,
  role: Role,
): { readonly principal: Principal; readonly token: string }[] {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => {
      const [, name = role, token = item] = /^([A-Za-z][\w.-]{0,31}):(.+)$/.exec(item) ?? [];
      return { principal: { name, role }, token };
    });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
