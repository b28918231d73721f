import { isLoopback } from '../middleware/access.ts';
import type { RolesClaim } from './roles-claim.ts';

/** A provider where people sign in, and who they are to this application. */
export interface OpenIdSettings {
  readonly issuer: URL;
  readonly clientId: string;
  /** Undefined for a public client, which PKCE alone protects. */
  readonly clientSecret: string | undefined;
  readonly scope: string;
  readonly roles: RolesClaim;
  /** Claim with the teams that a viewer is limited to. @default viewers see every team */
  readonly teamsClaim?: string | undefined;
}

const PREFIX = 'TOKEN_METER_OIDC_';

/** Undefined when it is not configured, or so that it cannot work: the problems say why. */
export function readOpenId(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): OpenIdSettings | undefined {
  const given = Object.keys(env).filter((name) => name.startsWith(PREFIX));
  if (given.length === 0) return undefined;
  const variable = (name: string): string | undefined => env[PREFIX + name]?.trim();
  const issuer = issuerOf(variable('ISSUER'), problems);
  const clientId = variable('CLIENT_ID');
  if (clientId === undefined) problems.push(`${PREFIX}CLIENT_ID is not set; ${OFF}`);
  if (issuer === undefined || clientId === undefined) return undefined;
  const names = (name: string, fallback: string): readonly string[] =>
    (variable(name) ?? fallback)
      .split(',')
      .map((role) => role.trim())
      .filter((role) => role !== '');
  const teamsClaim = variable('TEAMS_CLAIM');
  const scopes = (variable('SCOPE') ?? 'profile email').split(/\s+/);
  return {
    issuer,
    clientId,
    clientSecret: variable('CLIENT_SECRET'),
    scope: [...new Set(['openid', ...scopes])].join(' '),
    roles: {
      claim: variable('ROLES_CLAIM') ?? 'roles',
      admin: names('ADMIN_ROLES', 'admin'),
      viewer: names('VIEWER_ROLES', 'viewer'),
    },
    ...(teamsClaim !== undefined && { teamsClaim }),
  };
}

const OFF = 'nobody can sign in with OpenID Connect';

function issuerOf(text: string | undefined, problems: string[]): URL | undefined {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  const isSafe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (url && isSafe && url.search === '' && url.hash === '' && url.username === '') return url;
  problems.push(
    text === undefined
      ? `${PREFIX}ISSUER is not set; ${OFF}`
      : `${PREFIX}ISSUER is ${JSON.stringify(text)}; allowed: an https address without query, or http on this machine; ${OFF}`,
  );
  return undefined;
}
