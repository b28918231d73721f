import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration } from 'oidc-provider';

export const CLIENT_ID = 'token-meter';
export const CLIENT_SECRET = 'the-secret-of-this-client';

interface Account {
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly roles?: unknown;
  readonly teams?: unknown;
}

/** A real OpenID Connect provider, on another site than the application: `localhost`, not 127.0.0.1. */
export interface TestOpenIdProvider {
  readonly issuer: string;
  /** Who is at the keyboard there; undefined refuses. */
  person: string | undefined;
  readonly accounts: Record<string, Account>;
  /** Begins to answer, to this application. Until then nothing listens. */
  start(appOrigin: string, configuration?: Configuration): Promise<void>;
  stop(): Promise<void>;
}

/** Reserves its port. */
export async function openIdProvider(): Promise<TestOpenIdProvider> {
  let server: Server | undefined = createServer().listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://localhost:${port}`;
  const stop = async (): Promise<void> => {
    const running = server;
    server = undefined;
    running?.closeAllConnections();
    running?.close();
    if (running) await once(running, 'close');
  };
  await stop();
  const made: TestOpenIdProvider = {
    issuer,
    person: 'ada',
    accounts: {
      ada: { email: 'ada@corp.test', email_verified: true, roles: ['staff', 'admin'] },
      vic: { email: 'vic@corp.test', email_verified: true, roles: ['viewer'], teams: ['search'] },
      eve: { email: 'ada@corp.test', email_verified: false, roles: 'viewer' },
      guest: { email: 'guest@corp.test', email_verified: true, roles: ['guest', 'Admin'] },
    },
    async start(appOrigin, configuration = {}) {
      const provider = providerFor(made, appOrigin, configuration);
      const answer = provider.callback();
      server = createServer((request, response) => {
        if (request.url?.startsWith('/interaction/') !== true) {
          void answer(request, response);
          return;
        }
        const result =
          made.person === undefined
            ? { error: 'access_denied', error_description: 'not today' }
            : { login: { accountId: made.person } };
        void provider.interactionFinished(request, response, result);
      }).listen(port, 'localhost');
      await once(server, 'listening');
    },
    stop,
  };
  return made;
}

function providerFor(
  { issuer, accounts }: TestOpenIdProvider,
  appOrigin: string,
  configuration: Configuration,
): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [`${appOrigin}/sign-in/openid`],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['roles'] },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...accounts[id] }),
    }),
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        clientId: CLIENT_ID,
        accountId: oidc.session?.accountId ?? '',
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
    cookies: { keys: ['a key of the test'] },
    ...configuration,
  });
}
