export interface Server {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

const known = new Map<string, Server>();
const KNOWN_MAX = 100;

/** Host and port of a base URL, remembered: parsing one costs more than all the rest of a start. */
export function serverOf(url: unknown): Server {
  if (typeof url !== 'string') return {};
  const hit = known.get(url);
  if (hit !== undefined) return hit;
  const server = parse(url);
  if (known.size < KNOWN_MAX) known.set(url, server);
  return server;
}

function parse(url: string): Server {
  if (!URL.canParse(url)) return {};
  const { hostname, port, protocol } = new URL(url);
  return {
    address: hostname,
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
  };
}
