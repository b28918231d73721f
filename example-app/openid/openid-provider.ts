import * as client from 'openid-client';
import type { Logger } from '../logger.ts';
import type { Principal } from '../middleware/access.ts';
import type { OpenIdSettings } from './openid-environment.ts';
import { teamsIn } from './teams-claim.ts';
import { type Claims, roleIn, valueAt } from './roles-claim.ts';

export interface OpenIdProviderOptions extends OpenIdSettings {
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now?: () => number;
}

/** Why nobody was signed in; the page has a text for each. */
export type SignInProblem = 'unavailable' | 'denied' | 'expired' | 'no_role' | 'clock' | 'failed';

export class SignInError extends Error {
  readonly problem: SignInProblem;

  constructor(problem: SignInProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

/** What a browser must bring back, and what proves that it is the one that began. */
export interface SignInChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Clocks of two machines differ. */
const CLOCK_TOLERANCE_S = 60;
const TIMEOUT_S = 10;

/**
 * The OpenID Connect provider where people sign in: authorization code with PKCE, state and nonce. It
 * is asked for its addresses when they are first needed, so the application starts without it.
 */
export class OpenIdProvider {
  /** For people. */
  readonly name: string;
  readonly #options: OpenIdProviderOptions;
  #discovered: Promise<client.Configuration> | undefined;

  constructor(options: OpenIdProviderOptions) {
    this.#options = options;
    this.name = options.issuer.host;
  }

  /** Logs whether the provider can be reached. Never rejects. */
  async check(): Promise<void> {
    const { log } = this.#options;
    await this.#configuration().catch((error: SignInError) => log.warn(error.message));
  }

  /** Throws `SignInError`. */
  async begin(redirectUri: string): Promise<{ readonly url: URL; readonly checks: SignInChecks }> {
    const configuration = await this.#configuration();
    const checks = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
    };
    const parameters = {
      redirect_uri: redirectUri,
      scope: this.#options.scope,
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
    };
    try {
      return { url: client.buildAuthorizationUrl(configuration, parameters), checks };
    } catch (error) {
      // It named no address to go to.
      throw this.#unusable(error);
    }
  }

  /** Who came back to this address. Throws `SignInError`. */
  async finish(address: URL, { state, nonce, verifier }: SignInChecks): Promise<Principal> {
    if (address.searchParams.get('state') !== state) {
      throw new SignInError('expired', 'the state is that of another sign-in');
    }
    const configuration = await this.#configuration();
    try {
      const tokens = await client.authorizationCodeGrant(configuration, address, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const identity = tokens.claims() as client.IDToken;
      const claims = await this.#allClaims(configuration, identity, tokens.access_token);
      return this.#principalOf(identity.sub, claims);
    } catch (error) {
      if (error instanceof SignInError) throw error;
      const problem = problemOf(error);
      // It may have moved, or have other keys, since its addresses were asked for.
      const hasOtherKeys = codeOf(error) === 'OAUTH_KEY_SELECTION_FAILED';
      if (problem === 'unavailable' || hasOtherKeys) this.#discovered = undefined;
      throw new SignInError(problem, reasonOf(error), { cause: error });
    }
  }

  /** Many providers keep what they know of a person for those who ask by the access token. */
  async #allClaims(
    configuration: client.Configuration,
    identity: client.IDToken,
    accessToken: string,
  ): Promise<Claims> {
    const { roles, teamsClaim } = this.#options;
    const wanted = [roles.claim, 'email', ...(teamsClaim === undefined ? [] : [teamsClaim])];
    const isComplete = wanted.every((name) => valueAt(identity, name) !== undefined);
    if (isComplete || !configuration.serverMetadata().userinfo_endpoint) return identity;
    const more = await client.fetchUserInfo(configuration, accessToken, identity.sub);
    return { ...more, ...identity };
  }

  #principalOf(subject: string, claims: Claims): Principal {
    const name = nameOf(subject, claims);
    const role = roleIn(claims, this.#options.roles);
    if (role === undefined) {
      throw new SignInError(
        'no_role',
        `${name} has no role in the claim ${this.#options.roles.claim}`,
      );
    }
    const { teamsClaim } = this.#options;
    if (role === 'admin' || teamsClaim === undefined) return { name, role };
    return { name, role, teams: teamsIn(claims, teamsClaim) };
  }

  #configuration(): Promise<client.Configuration> {
    this.#discovered ??= this.#discover().catch((error: unknown) => {
      throw this.#unusable(error);
    });
    return this.#discovered;
  }

  /** It is asked for its addresses again next time: they may be others by then. */
  #unusable(error: unknown): SignInError {
    this.#discovered = undefined;
    const message = `the OpenID Connect provider ${this.#options.issuer.href} cannot be used: ${reasonOf(error)}`;
    return new SignInError('unavailable', message, { cause: error });
  }

  async #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret, now = Date.now } = this.#options;
    const metadata = {
      [client.clockTolerance]: CLOCK_TOLERANCE_S,
      [client.clockSkew]: Math.round((now() - Date.now()) / 1000),
    };
    const options: client.DiscoveryRequestOptions = {
      timeout: TIMEOUT_S,
      execute: [
        // Its signature counts, not only the connection that it came by.
        client.enableNonRepudiationChecks,
        ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
      ],
    };
    return await client.discovery(issuer, clientId, metadata, clientAuth(clientSecret), options);
  }
}

/** As the provider wants it; the standard's default is `client_secret_basic`. */
function clientAuth(secret: string | undefined): client.ClientAuth {
  if (secret === undefined) return client.None();
  const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const { token_endpoint_auth_methods_supported: methods } = server;
    (methods?.includes('client_secret_basic') === false ? post : basic)(server, ...rest);
  };
}

/**
 * For the audit log: the address when the provider has verified it, else the subject. Names of tokens
 * hold neither `@` nor `:`, so nobody can pass for one.
 */
function nameOf(subject: string, claims: Claims): string {
  const { email, email_verified: isVerified } = claims;
  const isAddress = typeof email === 'string' && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(email);
  const name = isAddress && isVerified === true ? email : `openid:${subject}`;
  if (name.length <= 300 && /^\P{C}+$/u.test(name)) return name;
  throw new SignInError('failed', 'the subject of the ID token is not readable text');
}

function problemOf(error: unknown): SignInProblem {
  const { error: answer, status = 0 } = error as {
    readonly error?: string;
    readonly status?: number;
  };
  if (answer === 'access_denied') return 'denied';
  const code = codeOf(error);
  if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED') return 'clock';
  // `fetch` rejects with a TypeError when there is no connection.
  const isUnreachable = code === 'OAUTH_TIMEOUT' || error instanceof TypeError || status >= 500;
  return isUnreachable ? 'unavailable' : 'failed';
}

function codeOf(error: unknown): string | undefined {
  return (error as { readonly code?: string }).code;
}

/** The reasons below the words "something went wrong", which libraries wrap them in. */
function reasonOf(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 4; at = at.cause) {
    parts.push(at.message);
  }
  // Some of it comes from the address that the browser brought.
  return parts.join(': ').replaceAll(/\p{C}+/gu, ' ');
}
