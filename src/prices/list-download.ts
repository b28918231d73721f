import { get as httpGet, type ClientRequest, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { TokenMeterError } from '../errors.ts';

const TIMEOUT_MS = 20_000;
/** The list is a third of a megabyte. */
const MAX_BYTES = 16 * 2 ** 20;
const MAX_REDIRECTS = 3;

export interface DownloadOptions {
  /** Whether the process stays alive for the answer. */
  readonly holdsProcess: boolean;
  readonly redirects?: number;
}

/**
 * Downloads a text. Rejects with `BACKEND_UNREACHABLE` or `BACKEND_REFUSED`; messages have only
 * the origin of the address.
 */
export async function downloadList(url: string, options: DownloadOptions): Promise<string> {
  const { holdsProcess, redirects = MAX_REDIRECTS } = options;
  const response = await request(url, holdsProcess);
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
    response.destroy();
    const target = new URL(headers.location, url);
    const isDowngrade = target.protocol === 'http:' && new URL(url).protocol === 'https:';
    if (redirects === 0 || isDowngrade || !/^https?:$/.test(target.protocol)) {
      throw refused(url, 'redirects too often, or to an address that is less safe');
    }
    return await downloadList(target.href, { holdsProcess, redirects: redirects - 1 });
  }
  if (statusCode !== 200) {
    response.destroy();
    throw refused(url, `answered with status ${statusCode}`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) throw refused(url, `sent more than ${MAX_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof TokenMeterError ? error : unreachable(url, error);
  }
  if (!response.complete) throw unreachable(url, new Error('the connection ended early'));
  return Buffer.concat(chunks).toString();
}

function request(url: string, holdsProcess: boolean): Promise<IncomingMessage> {
  const get = new URL(url).protocol === 'https:' ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    // A connection of its own: one of a pool would outlive the download.
    const options = { agent: false as const, headers: { accept: 'application/json' } };
    const started: ClientRequest = get(url, options, resolve);
    const deadline = setTimeout(
      () => started.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)),
      TIMEOUT_MS,
    ).unref();
    if (!holdsProcess) started.on('socket', (socket) => socket.unref());
    started.on('close', () => clearTimeout(deadline));
    started.on('error', (error) => reject(unreachable(url, error)));
  });
}

/** User, path and query of an address may hold the key of a mirror. */
export function shownAddress(url: string): string {
  return new URL(url).origin;
}

function unreachable(url: string, cause: unknown): TokenMeterError {
  const { message } = cause as Error;
  return new TokenMeterError(
    'BACKEND_UNREACHABLE',
    `price list: ${shownAddress(url)} cannot be read: ${message}`,
    { value: shownAddress(url), cause },
  );
}

function refused(url: string, why: string): TokenMeterError {
  return new TokenMeterError('BACKEND_REFUSED', `price list: ${shownAddress(url)} ${why}`, {
    value: shownAddress(url),
  });
}
