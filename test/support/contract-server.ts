import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type ParsedLine, parseLine, splitBody } from './line-protocol.ts';

export type ContractVersion = '1.8' | '2.x' | '3.x';

interface Reply {
  readonly status: number;
  readonly body?: string | undefined;
  readonly headers?: Record<string, string>;
}

interface LineError {
  readonly line: string;
  readonly number: number;
  readonly message: string;
  readonly kind: 'parse' | 'type' | 'retention';
}

const LIMITS: Readonly<Record<ContractVersion, number>> = {
  '1.8': 25_000_000,
  '2.x': Infinity,
  '3.x': 10_485_760,
};

/**
 * Mock of these servers, written from their sources: status, headers, text per endpoint, and the
 * lines stored from a batch with an invalid line. Points are stored by series and time.
 */
export class ContractServer {
  readonly version: ContractVersion;
  readonly stored = new Map<string, ParsedLine>();
  readonly requests: string[] = [];
  /** Accepted credentials: a token, or `user:password` for 1.8. `undefined` accepts all. */
  token: string | undefined;
  databases = new Set(['usage']);
  orgs = new Set(['acme']);
  /** Lines before this time are outside the retention period. */
  oldest = 0n;
  readonly #types = new Map<string, string>();
  readonly #server: Server;

  private constructor(version: ContractVersion) {
    this.version = version;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(version: ContractVersion): Promise<ContractServer> {
    const contract = new ContractServer(version);
    await new Promise<void>((resolve) => contract.#server.listen(0, '127.0.0.1', resolve));
    return contract;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://contract');
    this.requests.push(`${request.method} ${url.pathname}`);
    const reply = this.#reply(request, url, Buffer.concat(chunks));
    response.writeHead(reply.status, { ...this.#everywhere(reply.status), ...reply.headers });
    response.end(reply.body);
  }

  #everywhere(status: number): Record<string, string> {
    if (this.version === '3.x') return { 'cluster-uuid': 'e3f0' };
    const version = this.version === '1.8' ? '1.8.10' : 'v2.7.12';
    const json = status === 204 ? {} : { 'content-type': 'application/json; charset=utf-8' };
    return { 'x-influxdb-version': version, 'x-influxdb-build': 'OSS', ...json };
  }

  #reply(request: IncomingMessage, url: URL, raw: Buffer): Reply {
    const { version } = this;
    const { pathname, searchParams } = url;
    if (pathname === '/ping' && version !== '3.x') return { status: 204 };
    const isLegacy = pathname === '/write';
    const isV2 = pathname === '/api/v2/write';
    if (version === '2.x' && !isLegacy && !isV2) {
      return { status: 200, body: '<!doctype html>', headers: { 'content-type': 'text/html' } };
    }
    if (!this.#isAuthorized(request, pathname)) return this.#unauthorized();
    if (pathname === '/ping') {
      return { status: 200, body: '{"product_name":"InfluxDB 3 Core","version":"3.9.6"}' };
    }
    if (!isLegacy && !isV2 && !(version === '3.x' && pathname === '/api/v3/write_lp')) {
      return { status: 404, body: 'Not found' };
    }
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    const bucket = searchParams.get(isV2 ? 'bucket' : 'db') ?? '';
    if (version === '2.x' && isV2) {
      const org = searchParams.get('org');
      if (org === null) return json2(400, 'invalid', 'Please provide either orgID or org');
      if (!this.orgs.has(org)) {
        return json2(404, 'not found', `organization name "${org}" not found`);
      }
    }
    if (!this.databases.has(bucket)) {
      if (version === '1.8') return json1(404, `database not found: "${bucket}"`);
      if (version === '2.x') {
        const what = isV2 ? `bucket "${bucket}" not found` : 'no dbrp mapping found';
        return json2(404, 'not found', what);
      }
      if (!/^[A-Za-z0-9][\w-]*$/.test(bucket)) {
        return { status: 400, body: '{"error":"invalid character in database name"}' };
      }
      this.databases.add(bucket);
    }
    if (body.length > LIMITS[version]) return this.#tooLarge(isV2);
    return this.#write(body.toString(), pathname);
  }

  #isAuthorized({ headers: { authorization = '' } }: IncomingMessage, pathname: string): boolean {
    if (this.token === undefined) return true;
    if (this.version === '1.8') {
      return authorization === `Basic ${Buffer.from(this.token).toString('base64')}`;
    }
    const bearer = this.version === '3.x' || pathname.startsWith('/api/v2/');
    return [`Token ${this.token}`, ...(bearer ? [`Bearer ${this.token}`] : [])].includes(
      authorization,
    );
  }

  #unauthorized(): Reply {
    if (this.version === '1.8') return json1(401, 'authorization failed');
    if (this.version === '2.x') return json2(401, 'unauthorized', 'unauthorized access');
    return { status: 401, body: '{"error": "the request was not authenticated"}' };
  }

  #tooLarge(isV2: boolean): Reply {
    if (this.version === '1.8') return json1(413, 'Request Entity Too Large');
    return isV2
      ? json2(413, 'request too large', 'request too large')
      : { status: 500, body: 'max request size (10485760 bytes) exceeded' };
  }

  #write(body: string, pathname: string): Reply {
    const lines = splitBody(body);
    if (this.version === '3.x' && lines.length === 0) {
      const prefix = pathname === '/api/v2/write' ? 'write buffer error: ' : '';
      return json2(400, 'invalid', `${prefix}incoming write was empty`);
    }
    const good: ParsedLine[] = [];
    const errors: LineError[] = [];
    for (const [i, line] of lines.entries()) {
      try {
        const parsed = parseLine(line);
        const problem = this.#problem(parsed);
        if (problem === undefined) good.push(parsed);
        else errors.push({ line, number: i + 1, ...problem });
      } catch (error) {
        errors.push({ line, number: i + 1, message: (error as Error).message, kind: 'parse' });
      }
    }
    const { reply, storesGood } = this.#answer(errors, good.length, pathname);
    if (storesGood) for (const line of good) this.#store(line);
    return reply;
  }

  #problem(line: ParsedLine): { message: string; kind: 'type' | 'retention' } | undefined {
    if (this.version !== '3.x' && BigInt(line.time) < this.oldest) {
      return { message: 'points beyond retention policy', kind: 'retention' };
    }
    for (const [name, { type }] of Object.entries(line.fields)) {
      const known = this.#types.get(`${line.measurement} ${name}`) ?? type;
      if (known === type) continue;
      const message =
        this.version === '3.x'
          ? `invalid column type for column '${name}', expected ${known}, got ${type}`
          : `field type conflict: input field "${name}" on measurement "${line.measurement}" is type ${type}, already exists as type ${known}`;
      return { message, kind: 'type' };
    }
    return undefined;
  }

  #store(line: ParsedLine): void {
    for (const [name, { type }] of Object.entries(line.fields)) {
      this.#types.set(`${line.measurement} ${name}`, type);
    }
    this.stored.set(`${line.series} ${line.time}`, line);
  }

  #answer(
    errors: readonly LineError[],
    good: number,
    pathname: string,
  ): { reply: Reply; storesGood: boolean } {
    const [first] = errors;
    if (first === undefined) return { reply: { status: 204 }, storesGood: true };
    if (this.version === '1.8') return { reply: answer18(errors, good), storesGood: true };
    if (this.version === '2.x') {
      return first.kind === 'parse'
        ? {
            reply: json2(400, 'invalid', `unable to parse '${first.line}': ${first.message}`),
            storesGood: false,
          }
        : { reply: answer2Partial(first, errors.length), storesGood: true };
    }
    if (pathname === '/api/v3/write_lp') {
      const data = errors.map((error) => ({
        error_message: error.message,
        line_number: error.number,
        original_line: error.line.slice(0, 20),
      }));
      const error = 'partial write of line protocol occurred';
      return { reply: { status: 400, body: JSON.stringify({ error, data }) }, storesGood: true };
    }
    const message = `write buffer error: line protocol parse failed: ${first.message}`;
    return { reply: json2(400, 'invalid', message), storesGood: false };
  }
}

function answer18(errors: readonly LineError[], good: number): Reply {
  const parse = errors.filter(({ kind }) => kind === 'parse');
  if (parse.length > 0) {
    const why = parse.map(({ line, message }) => `unable to parse '${line}': ${message}`);
    return json1(400, good > 0 ? `partial write: ${why.join('\n')} dropped=0` : why.join('\n'));
  }
  return json1(400, `partial write: ${errors[0]?.message} dropped=${errors.length}`);
}

function answer2Partial({ kind, message }: LineError, dropped: number): Reply {
  const why =
    kind === 'retention'
      ? `dropped ${dropped} points outside retention policy of duration 24h0m0s`
      : `${message} dropped=${dropped}`;
  const text = `failure writing points to database: partial write: ${why}`;
  return json2(422, 'unprocessable entity', text);
}

function json1(status: number, error: string): Reply {
  const headers = { 'x-influxdb-error': error.slice(0, 1024).replaceAll('\n', ' ') };
  return { status, body: `${JSON.stringify({ error })}\n`, headers };
}

function json2(status: number, code: string, message: string): Reply {
  return {
    status,
    body: JSON.stringify({ code, message }),
    headers: { 'x-platform-error-code': code },
  };
}
