export interface InfluxServer {
  /** `2.7.12`; without a `v`. */
  readonly version: string;
  /** Without credentials. */
  readonly url: string;
  /** Of the answer, by the server's clock. */
  readonly date: string | undefined;
}

/** What the server says about itself. Rejects when it does not answer. */
export async function influxServer(url: string, token: string | undefined): Promise<InfluxServer> {
  const address = new URL(url);
  address.username = address.password = '';
  const shown = address.href.replace(/\/$/, '');
  let response: Response;
  try {
    response = await fetch(`${shown}/ping`, {
      // 3.x answers authenticated requests alone.
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5000),
    });
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    const reason = cause instanceof Error ? cause.message : String(error);
    throw new Error(`${shown} is not reachable: ${reason}`, { cause: error });
  }
  const body = await response.text();
  const said =
    response.headers.get('x-influxdb-version') ?? /"version":\s*"([^"]+)"/.exec(body)?.[1];
  const version =
    said?.replace(/^v/, '') ?? (response.headers.has('cluster-uuid') ? '3' : 'unknown');
  return { version, url: shown, date: response.headers.get('date') ?? undefined };
}
