import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Signer } from './signer.ts';

/** `admin` may do all that the others may: `viewer` sees, `reporter` reports calls by OTLP and sees nothing. */
export type Role = 'viewer' | 'admin' | 'reporter';

export interface Principal {
  /** For the audit log. */
  readonly name: string;
  readonly role: Role;
  /** A viewer of these teams alone; of none, if it is empty. @default all of the ledger */
  readonly teams?: readonly string[] | undefined;
}

export interface Session {
  /** Names the session, and opens nothing. */
  readonly id: string;
  readonly principal: Principal;
  readonly expiresAt: Date;
}

export interface AccessOptions {
  /** One or several tokens, comma-separated, each `token` or `name:token`. */
  readonly adminTokens?: string | undefined;
  readonly viewerTokens?: string | undefined;
  readonly reporterTokens?: string | undefined;
  /** Teams that a viewer is limited to, by the name of the token: `{"anna":["search"]}`. */
  readonly viewerTeams?: string | undefined;
  /** Claim that limits those who sign in otherwise: their sessions end when it changes. */
  readonly teamsClaim?: string | undefined;
  /** Signs sessions; instances that are to read each other's sessions share it. @default random */
  readonly sessionSecret?: string | undefined;
  readonly sessionHours?: number;
  /** People sign in otherwise: without an admin token none is made up. @default false */
  readonly hasOtherSignIn?: boolean;
  readonly now?: () => number;
}

interface SignedSession extends Principal {
  readonly id: string;
  readonly expiresAt: number;
}

interface Credential {
  readonly principal: Principal;
  readonly digest: Buffer;
}

/** Who may come in: bearer tokens, and sessions made from them. */
export class Access {
  /** The token made up because no admin token is configured; for the sign-in link only. */
  readonly generatedToken: string | undefined;
  /** No token is configured, and nobody signs in otherwise: anyone who reaches the application may use it. */
  readonly isOpen: boolean;
  /** Whether a token could be guessed or found by trying: those must not face a network. */
  readonly hasWeakToken: boolean;
  readonly #credentials: readonly Credential[];
  /** Ids of sessions that were signed out, until they would have expired. */
  readonly #revoked = new Map<string, number>();
  readonly #sessions: Signer;
  readonly #sessionMs: number;
  readonly #now: () => number;

  constructor(options: AccessOptions = {}) {
    const given = [
      ...tokensOf(options.adminTokens, 'admin'),
      ...limited(tokensOf(options.viewerTokens, 'viewer'), options.viewerTeams),
      ...tokensOf(options.reporterTokens, 'reporter'),
    ];
    this.isOpen = given.length === 0 && options.hasOtherSignIn !== true;
    const hasAdmin = given.some(({ principal }) => principal.role === 'admin');
    if (!hasAdmin && options.hasOtherSignIn !== true) {
      this.generatedToken = randomBytes(24).toString('base64url');
      given.push({ principal: { name: 'admin', role: 'admin' }, token: this.generatedToken });
    }
    this.#credentials = given.map(({ principal, token }) => ({ principal, digest: sha256(token) }));
    this.hasWeakToken = given.some(({ token }) => isWeak(token));
    // The secret is independent of the tokens, which a signature would let somebody try offline. The
    // tokens are the salt: a changed token ends all sessions.
    const secret = options.sessionSecret ?? randomBytes(32);
    const tokens = given.map(({ principal, token }) => JSON.stringify([principal, token])).sort();
    const claim = options.teamsClaim === undefined ? [] : [options.teamsClaim];
    const salt = createHash('sha256')
      .update([...tokens, ...claim].join('\n'))
      .digest();
    this.#sessions = new Signer(secret, { purpose: 'session', salt });
    this.#sessionMs = (options.sessionHours ?? 12) * 3_600_000;
    this.#now = options.now ?? Date.now;
  }

  /** Compares with every token, whichever fits, so that the time taken reveals nothing. */
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
    const id = randomBytes(12).toString('base64url');
    const { name, role, teams } = principal;
    const value = this.#sessions.sign({ name, role, ...(teams && { teams }), expiresAt, id });
    return { value, expiresAt: new Date(expiresAt) };
  }

  sessionOf(value: string): Session | undefined {
    const signed = this.#sessions.open(value) as SignedSession | undefined;
    if (!signed) return undefined;
    const { name, role, teams, expiresAt, id } = signed;
    if (expiresAt <= this.#now() || this.#revoked.has(id)) return undefined;
    return {
      id,
      principal: { name, role, ...(teams && { teams }) },
      expiresAt: new Date(expiresAt),
    };
  }

  /** Signed out: the cookie and all copies of it are invalid. */
  revoke({ id, expiresAt }: Session): void {
    const now = this.#now();
    for (const [each, until] of this.#revoked) if (until <= now) this.#revoked.delete(each);
    this.#revoked.set(id, expiresAt.getTime());
  }
}

/** Why the application must not be reachable at this address; undefined when it may be. */
export function reasonNotToListenOn(host: string, access: Access): string | undefined {
  if (isLoopback(host)) return undefined;
  if (access.generatedToken !== undefined) {
    return 'TOKEN_METER_ADMIN_TOKEN is not set: the settings would be open to the network';
  }
  return access.hasWeakToken
    ? `an access token is shorter than ${TOKEN_MIN_LENGTH} characters or of few different ones; make one by "openssl rand -base64 32"`
    : undefined;
}

const TOKEN_MIN_LENGTH = 16;
const TOKEN_MIN_DIFFERENT = 6;

function isWeak(token: string): boolean {
  return token.length < TOKEN_MIN_LENGTH || new Set(token).size < TOKEN_MIN_DIFFERENT;
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

/** The token is behind `#`, which browsers send to nobody and servers log nowhere. */
export function signInLink(origin: string, access: Access): string | undefined {
  return access.generatedToken && `${origin}/sign-in#${access.generatedToken}`;
}

function tokensOf(list: string | undefined, role: Role): GivenToken[] {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => {
      const [, name = role, token = item] = /^([A-Za-z][\w.-]{0,31}):(.+)$/.exec(item) ?? [];
      return { principal: { name, role }, token };
    });
}

interface GivenToken {
  readonly principal: Principal;
  readonly token: string;
}

/** Throws for whatever would leave a viewer with more than was meant. */
function limited(tokens: readonly GivenToken[], teams: string | undefined): readonly GivenToken[] {
  if (teams === undefined) return tokens;
  const byName = teamsByName(teams);
  const unknown = [...byName.keys()].find(
    (name) => !tokens.some(({ principal }) => principal.name === name),
  );
  if (unknown !== undefined) {
    throw new Error(
      `TOKEN_METER_VIEWER_TEAMS names ${JSON.stringify(unknown)}, and no viewer's token has that name`,
    );
  }
  return tokens.map(({ principal, token }) => {
    const own = byName.get(principal.name);
    return { principal: own ? { ...principal, teams: own } : principal, token };
  });
}

function teamsByName(text: string): ReadonlyMap<string, readonly string[]> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Refused below.
  }
  const isTeams = (teams: unknown): boolean =>
    Array.isArray(teams) && teams.every((team) => typeof team === 'string' && team !== '');
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  // Of two entries of one name the parser takes the last.
  const names = text.match(/"(?:[^"\\]|\\.)*"\s*:/g) ?? [];
  const isUnique = isObject && names.length === Object.keys(value as object).length;
  if (isUnique && Object.values(value as object).every(isTeams)) {
    return new Map(Object.entries(value as Record<string, readonly string[]>));
  }
  throw new Error(
    'TOKEN_METER_VIEWER_TEAMS must be a JSON object of lists by the name of the token, each name once, such as {"anna":["search"]}',
  );
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
