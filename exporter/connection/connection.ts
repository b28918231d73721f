import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createSecureContext } from 'node:tls';
import { TokenMeterError } from '../../src/errors.ts';

/** Files of PEM text. Read when the exporter or reader is made. */
export interface TlsOptions {
  /** Certificate authorities that the server's certificate is checked against, instead of the default ones. */
  readonly caFile?: string | undefined;
  /** The client's own certificate; needs `keyFile`. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Of an encrypted `keyFile`. */
  readonly passphrase?: string | undefined;
}

export interface ConnectionOptions {
  /**
   * Proxy, `http://[user:password@]host:port`. @default `HTTPS_PROXY` or `HTTP_PROXY` (lower case wins), unless
   * `NO_PROXY` names the server, the server is on this machine, or `NODE_USE_ENV_PROXY` is `0`
   */
  readonly proxyUrl?: string | undefined;
  /** For an `https:` address. */
  readonly tls?: TlsOptions | undefined;
}

interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly passphrase?: string;
}

/** How a server is reached; the same for writing and reading. */
export interface Connection {
  /** Base address, without a login and without a slash at its end. */
  readonly url: string;
  readonly proxy?: ProxyVariables;
  readonly tls?: TlsMaterial;
}

/** As Node's agents take a proxy. */
type ProxyVariables = {
  readonly HTTP_PROXY?: string;
  readonly HTTPS_PROXY?: string;
  readonly NO_PROXY?: string;
};

/** Throws `INVALID_OPTION`; `owner` names the class in its message. */
export function resolveConnection(
  owner: string,
  url: string,
  { proxyUrl, tls }: ConnectionOptions,
  env: NodeJS.ProcessEnv = process.env,
): Connection {
  const proxy = proxyOf(owner, url, proxyUrl, env);
  const material = tlsMaterial(owner, tls);
  return { url, ...(proxy && { proxy }), ...(material && { tls: material }) };
}

function proxyOf(
  owner: string,
  url: string,
  proxyUrl: string | undefined,
  env: NodeJS.ProcessEnv,
): ProxyVariables | undefined {
  if (proxyUrl !== undefined && proxyUrl !== '') {
    const address = typeof proxyUrl === 'string' ? URL.parse(proxyUrl) : null;
    if (address === null || !/^https?:$/.test(address.protocol)) {
      const allowed = 'an http:// or https:// address';
      // Before the @ may stand a password.
      const value = String(proxyUrl).replace(/^.*@/s, '');
      throw new TokenMeterError('INVALID_OPTION', `${owner}: proxyUrl must be ${allowed}`, {
        value,
        allowed,
      });
    }
    if (!agentsTakeProxies()) {
      throw new TokenMeterError('INVALID_OPTION', `${owner}: proxyUrl needs ${PROXY_VERSIONS}`, {
        value: process.version,
        allowed: PROXY_VERSIONS,
      });
    }
    return { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl };
  }
  if (env['NODE_USE_ENV_PROXY'] === '0' || isLoopback(url)) return undefined;
  const variable = (name: string): string | undefined => env[name.toLowerCase()] ?? env[name];
  const [http_, https_, none] = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].map(variable);
  if (!http_ && !https_) return undefined;
  return {
    ...(http_ && { HTTP_PROXY: http_ }),
    ...(https_ && { HTTPS_PROXY: https_ }),
    ...(none && { NO_PROXY: none }),
  };
}

const PROXY_VERSIONS = 'Node 22.21, 24.5 or newer';

/** `proxyEnv` of agents came with Node 22.21 and 24.5; before, it is ignored without a word. */
function agentsTakeProxies(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}

function tlsMaterial(owner: string, tls: TlsOptions | undefined): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  const read = (option: 'caFile' | 'certFile' | 'keyFile'): Buffer | undefined => {
    const path = tls[option];
    if (path === undefined || path === '') return undefined;
    try {
      return readFileSync(path);
    } catch (cause) {
      const allowed = 'a file of PEM text that this process may read';
      throw new TokenMeterError('INVALID_OPTION', `${owner}: tls.${option} must be ${allowed}`, {
        value: path,
        allowed,
        cause,
      });
    }
  };
  const [ca, cert, key] = [read('caFile'), read('certFile'), read('keyFile')];
  if ((cert === undefined) !== (key === undefined)) {
    const allowed = 'given together';
    throw new TokenMeterError(
      'INVALID_OPTION',
      `${owner}: tls.certFile and tls.keyFile must be ${allowed}`,
      { value: cert === undefined ? tls.keyFile : tls.certFile, allowed },
    );
  }
  const { passphrase } = tls;
  const material = {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(passphrase && { passphrase }),
  };
  if (Object.keys(material).length === 0) return undefined;
  try {
    createSecureContext(material);
    // A context takes any text as authorities, and then knows none.
    if (ca !== undefined) new X509Certificate(ca);
  } catch (cause) {
    const allowed = 'files of PEM text that belong together, with the passphrase of the key';
    const { message } = cause as Error;
    throw new TokenMeterError('INVALID_OPTION', `${owner}: tls must name ${allowed} (${message})`, {
      value: { ...tls, passphrase: undefined },
      allowed,
      cause,
    });
  }
  return material;
}

/** Whether `url` is on this machine: no proxy leads there, and compression saves nothing. */
export function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? '';
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

/** `holdsProcess`: whether a request keeps a process alive that has nothing else to do. */
export function makeAgent(
  { url, proxy, tls }: Connection,
  { maxSockets, holdsProcess }: { readonly maxSockets: number; readonly holdsProcess: boolean },
): http.Agent {
  const { Agent } = url.startsWith('https:') ? https : http;
  const agent = new Agent({
    keepAlive: true,
    maxSockets,
    ...tls,
    ...(proxy && { proxyEnv: proxy }),
  });
  if (!holdsProcess) neverHoldTheProcess(agent);
  return agent;
}

type SocketDone = (error: Error | null, socket?: { unref(): void }) => void;

function neverHoldTheProcess(agent: http.Agent): void {
  const { createConnection, reuseSocket } = agent as unknown as {
    createConnection: (options: unknown, done: SocketDone) => { unref(): void } | undefined;
    reuseSocket: (socket: { unref(): void }, request: unknown) => void;
  };
  Object.assign(agent, {
    createConnection(options: unknown, done?: SocketDone) {
      // The way through a proxy reports its socket by the callback alone.
      const unrefed: SocketDone = (error, socket) => {
        socket?.unref();
        done?.(error, socket);
      };
      const socket = createConnection.call(agent, options, unrefed);
      socket?.unref();
      return socket;
    },
    reuseSocket(socket: { unref(): void }, request: unknown) {
      reuseSocket.call(agent, socket, request);
      socket.unref();
    },
  });
}
