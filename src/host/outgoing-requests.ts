import { subscribe } from 'node:diagnostics_channel';

/** A request that leaves the process, in the Context of the code that sends it. */
export interface OutgoingRequest {
  readonly origin: string;
  readonly path: string;
  /** Names and values, in whatever form the client has them. */
  readonly headers: () => string;
}

interface UndiciRequest {
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly method?: unknown;
  readonly headers?: unknown;
}
interface HttpRequest {
  readonly method?: unknown;
  readonly path?: unknown;
  readonly protocol?: unknown;
  readonly host?: unknown;
  getHeaders?(): object;
}
type Http2Headers = Readonly<Record<string, string | undefined>>;

/**
 * Reports each POST of this process, by whichever of Node's three clients: `fetch` (undici), `http` and
 * `https` (node-fetch, axios, the AWS SDK over HTTP/1) and `http2` (the AWS SDK). `isOfInterest` is asked
 * first, since this sees every request of the process.
 */
export function onOutgoingPost(
  isOfInterest: () => boolean,
  report: (request: OutgoingRequest) => void,
): void {
  subscribe('undici:request:create', (message) => {
    const { request } = message as { readonly request?: UndiciRequest };
    if (request?.method !== 'POST' || !isOfInterest()) return;
    const { origin, path, headers } = request;
    if (typeof path === 'string') {
      report({ origin: String(origin), path, headers: () => String(headers) });
    }
  });
  subscribe('http.client.request.start', (message) => {
    const { request } = message as { readonly request?: HttpRequest };
    if (request?.method !== 'POST' || !isOfInterest()) return;
    const { protocol, host, path } = request;
    if (typeof path === 'string') {
      report({
        origin: `${String(protocol)}//${String(host)}`,
        path,
        headers: () => JSON.stringify(request.getHeaders?.() ?? {}),
      });
    }
  });
  subscribe('http2.client.stream.created', (message) => {
    const { headers = {} } = message as { readonly headers?: Http2Headers };
    if (headers[':method'] !== 'POST' || !isOfInterest()) return;
    const path = headers[':path'];
    if (typeof path === 'string') {
      report({
        origin: `${headers[':scheme'] ?? 'https'}://${headers[':authority'] ?? ''}`,
        path,
        headers: () => JSON.stringify(headers),
      });
    }
  });
}
