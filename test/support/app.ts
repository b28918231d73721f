import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type AppDependencies, createApp } from '../../example-app/app.ts';
import { Access } from '../../example-app/middleware/access.ts';
import { limitServer } from '../../example-app/middleware/protection.ts';

export const ADMIN_TOKEN = 'secret-admin-7f3a';
export const VIEWER_TOKEN = 'secret-viewer-91bc';

export const asAdmin = { authorization: `Bearer ${ADMIN_TOKEN}` } as const;
export const asViewer = { authorization: `Bearer ${VIEWER_TOKEN}` } as const;

/** The application, listening on a loopback port. */
export interface ServedApp {
  readonly origin: string;
  readonly server: Server;
  /** Errors that the application would have logged. */
  readonly errors: readonly unknown[];
  /** Sends raw bytes and returns the raw response, since HTTP clients would fix or reject them. */
  raw(request: string, holdMs?: number): Promise<string>;
  close(): Promise<void>;
}

function testAccess(): Access {
  return new Access({ adminTokens: `ada:${ADMIN_TOKEN}`, viewerTokens: `vic:${VIEWER_TOKEN}` });
}

export interface SessionCookie {
  readonly url: string;
  readonly name: string;
  readonly value: string;
  readonly httpOnly: true;
}

/** For a browser that skips the sign-in page. */
export async function sessionCookie(url: string): Promise<SessionCookie> {
  const answer = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: ADMIN_TOKEN }),
  });
  const [name = '', value = ''] = (answer.headers.get('set-cookie') ?? '').split(/[=;]/);
  return { url, name, value, httpOnly: true };
}

export async function serveApp(dependencies: Partial<AppDependencies> = {}): Promise<ServedApp> {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const app = createApp({ access: testAccess(), routes: [], onError, ...dependencies });
  const server = app.listen(0, '127.0.0.1');
  limitServer(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    server,
    errors,
    async raw(request, holdMs = 1000) {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.write(request);
      const timer = setTimeout(() => socket.destroy(), holdMs);
      await once(socket, 'close');
      clearTimeout(timer);
      return answer;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
