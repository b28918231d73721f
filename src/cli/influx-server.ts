import type { HttpError, InfluxDB } from '@influxdata/influxdb-client';

export interface InfluxServer {
  /** `2.7.12`; without a `v`. */
  readonly version: string;
  /** Of the answer, by the server's clock. */
  readonly date: string | undefined;
}

export interface InfluxAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface InfluxRequest {
  readonly method: 'GET' | 'POST';
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

const TIMEOUT_MS = 5000;

/** One request through proxy and certificates of the client. Rejects when there is no answer. */
export async function askInflux(
  client: InfluxDB,
  path: string,
  { method, body = '', headers = {} }: InfluxRequest,
): Promise<InfluxAnswer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return await new Promise((resolve, reject) => {
    let start = { status: 0, headers: {} };
    let text = '';
    client.transport.send(
      path,
      body,
      { method, headers, signal },
      {
        responseStarted: (received, status = 0) => (start = { status, headers: received }),
        next: (piece: Uint8Array) => {
          text += Buffer.from(piece).toString();
        },
        complete: () => resolve({ ...start, text }),
        error: (error) => {
          const { statusCode, body: said = '', headers: received = {} } = error as HttpError;
          if (signal.aborted) reject(new Error(`no answer within ${TIMEOUT_MS} ms`));
          else if (statusCode === undefined) reject(error);
          else resolve({ status: statusCode, headers: received, text: said });
        },
      },
    );
  });
}

/** An address without its credentials. */
export function shownUrl(url: string): string {
  const address = new URL(url);
  address.username = address.password = '';
  return address.href.replace(/\/$/, '');
}

/** `shown`: its address for people. */
export async function influxServer(
  client: InfluxDB,
  shown: string,
  token: string | undefined,
): Promise<InfluxServer> {
  // 3.x answers authenticated requests alone.
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { headers, text } = await askInflux(client, '/ping', {
    method: 'GET',
    headers: authorization,
  }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${shown} is not reachable: ${reason}`, { cause: error });
  });
  const said = headers['x-influxdb-version'] ?? /"version":\s*"([^"]+)"/.exec(text)?.[1];
  const version =
    said === undefined
      ? headers['cluster-uuid'] === undefined
        ? 'unknown'
        : '3'
      : String(said).replace(/^v/, '');
  return { version, date: headers['date'] === undefined ? undefined : String(headers['date']) };
}
