import { remembered } from './remembered.ts';

export interface Server {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

/** Host and port of a base URL. Parsing one costs more than all the rest of a start. */
export function serverOf(url: unknown): Server {
  return typeof url === 'string' ? parsed(url) : {};
}

const parsed = remembered((url: string): Server => {
  if (!URL.canParse(url)) return {};
  const { hostname, port, protocol } = new URL(url);
  return {
    address: hostname,
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
  };
});
