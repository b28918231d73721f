import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const TOKEN = 'secret-token';
const DAY_NS = 86_400_000_000_000n;
const WRITE_PATHS = { '2': '/api/v2/write', '3': '/api/v3/write_lp' } as const;
/** 432 files of ten minutes: the query limit of 3 Core. */
const CORE_REACH_NS = 3n * DAY_NS;

interface Refusal {
  readonly status: number;
  readonly body: string;
}

/** A token of 2.x; the organisation that `/query` reads is its own, whatever the request names. */
interface ContractToken {
  readonly org: string;
  readonly reads?: boolean;
  readonly writes?: boolean;
  /** Sees the buckets of every organisation. */
  readonly isOperator?: boolean;
}

interface ContractBucket {
  readonly name: string;
  readonly org: string;
}

/**
 * Proxy for InfluxDB 1.x that implements `/ping`, `/query` and writes of 2.x or 3.x, following
 * their sources: authorisation, headers, separators of chunks, query range of 3 Core.
 */
export class QueryContract {
  readonly token: string = TOKEN;
  /** Of 2.x. `/query` reads `database` or `database/policy` of the server behind it. */
  buckets: readonly ContractBucket[] = [{ name: 'llm_metrics', org: 'acme' }];
  readonly tokens = new Map<string, ContractToken>([
    [TOKEN, { org: 'acme', reads: true, writes: true }],
  ]);
  readonly queries: URLSearchParams[] = [];
  /** Predicates. */
  readonly deletions: string[] = [];
  readonly #version: '2' | '3';
  readonly #target: string;
  readonly #server: Server;

  private constructor(version: '2' | '3', target: string) {
    this.#version = version;
    this.#target = target;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(version: '2' | '3', target: string): Promise<QueryContract> {
    const contract = new QueryContract(version, target);
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
    const url = new URL(request.url ?? '/', this.#target);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const refusal = this.#refusal(request, url, body);
    if (url.pathname === '/query') this.queries.push(new URLSearchParams(body));
    if (refusal !== undefined) {
      response.writeHead(refusal.status, { 'content-type': 'application/json' });
      response.end(refusal.body);
    } else if (url.pathname === '/ping') {
      this.#ping(response);
    } else if (url.pathname === '/api/v2/delete') {
      await this.#delete(url, body, response);
    } else if (url.pathname === WRITE_PATHS[this.#version]) {
      if (body === '') return void response.writeHead(204).end();
      const db = url.searchParams.get('bucket') ?? url.searchParams.get('db') ?? '';
      const write = `${this.#target}/write?${new URLSearchParams({ db, precision: 'n' }).toString()}`;
      const answer = await fetch(write, { method: 'POST', body });
      response.writeHead(answer.status).end(await answer.text());
    } else {
      await this.#query(url, body, response);
    }
  }

  #ping(response: ServerResponse): void {
    if (this.#version === '2') {
      response.writeHead(204, { 'x-influxdb-version': 'v2.7.12', 'x-influxdb-build': 'OSS' }).end();
    } else {
      response.writeHead(200, { 'cluster-uuid': 'e3f0' });
      response.end('{"product_name":"InfluxDB 3 Core","version":"3.9.6"}');
    }
  }

  async #query(url: URL, body: string, response: ServerResponse): Promise<void> {
    const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(body) });
    const text = await answer.text();
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    // 3.x writes nothing between the objects of a chunked answer, and no line break at its end.
    response.end(this.#version === '2' ? text : text.replaceAll('\n', ''));
  }

  /** Predicates of 2.x: quoted names and values, equal, joined by AND (predicate/parser.go of 2.8). */
  async #delete(url: URL, body: string, response: ServerResponse): Promise<void> {
    const { start, stop, predicate } = JSON.parse(body) as Record<string, string>;
    this.deletions.push(predicate ?? '');
    const unquoted = (text: string): string => text.replaceAll(/\\(.)/gs, '$1');
    const pairs = [...(predicate ?? '').matchAll(/"((?:[^"\\]|\\.)*)"="((?:[^"\\]|\\.)*)"/gs)];
    const named = pairs.map(
      ([, tag = '', value = '']) => [unquoted(tag), unquoted(value)] as const,
    );
    const measurement = named.find(([tag]) => tag === '_measurement')?.[1] ?? '';
    const values: Record<string, string> = {};
    const where = named
      .filter(([tag]) => tag !== '_measurement')
      .map(([tag, value], i) => {
        values[`v${i}`] = value;
        return `"${tag}" = $v${i} AND `;
      });
    const q = `DELETE FROM "${measurement}" WHERE ${where.join('')}time >= '${start}' AND time <= '${stop}'`;
    const db = url.searchParams.get('bucket') ?? '';
    const answer = await fetch(`${this.#target}/query?${new URLSearchParams({ db }).toString()}`, {
      method: 'POST',
      body: new URLSearchParams({ q, params: JSON.stringify(values) }),
    });
    const text = await answer.text();
    if (text.includes('"error"')) response.writeHead(400).end(text);
    else response.writeHead(204).end();
  }

  #refusal(
    { method, headers }: IncomingMessage,
    { pathname, searchParams }: URL,
    body: string,
  ): Refusal | undefined {
    const { authorization, accept } = headers;
    const isVersion2 = this.#version === '2';
    if (pathname === '/ping' && isVersion2) return undefined;
    const [scheme, given = ''] = (authorization ?? '').split(' ');
    const token = this.tokens.get(given);
    const schemes = isVersion2 ? ['Token'] : ['Token', 'Bearer'];
    if (token === undefined || !schemes.includes(scheme ?? '')) {
      const [v2, v3] = [
        '{"code":"unauthorized","message":"Unauthorized"}',
        '{"error": "the request was not authenticated"}',
      ];
      return { status: 401, body: isVersion2 ? v2 : v3 };
    }
    if (pathname === '/ping') return undefined;
    if (isVersion2) return this.#refusal2(method, pathname, searchParams, body, token);
    if (pathname === WRITE_PATHS['3']) return undefined;
    if (pathname !== '/query' || method !== 'POST') return { status: 404, body: 'Not found' };
    if (accept !== 'application/json') return { status: 400, body: `{"error":"accept ${accept}"}` };
    if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true) {
      return { status: 400, body: '{"error":"content type"}' };
    }
    if (!['true', 'false', null].includes(searchParams.get('chunked'))) {
      return { status: 400, body: '{"error":"chunked"}' };
    }
    const q = new URLSearchParams(body).get('q') ?? '';
    if (q.includes(';')) return resultError('must provide only one InfluxQl statement per query');
    for (const [, from = '0', to = '0'] of q.matchAll(/time >= (\d+) AND time < (\d+)/g)) {
      if (BigInt(to) - BigInt(from) <= CORE_REACH_NS) continue;
      return resultError('Query would exceed file limit of 432 parquet files');
    }
    return undefined;
  }

  /** Measured on 2.7.12 and 2.9.1: what a token may not see is not there. */
  #refusal2(
    method: string | undefined,
    pathname: string,
    parameters: URLSearchParams,
    body: string,
    token: ContractToken,
  ): Refusal | undefined {
    const named = (name: string | null, org: string | null): readonly ContractBucket[] =>
      this.buckets.filter((bucket) => bucket.name === name && (org ?? bucket.org) === bucket.org);
    const isSeen = ({ org }: ContractBucket): boolean =>
      token.isOperator === true || org === token.org;
    const org = parameters.get('org');
    if (pathname === '/api/v2/buckets') {
      const found = named(parameters.get('name'), org).filter(
        (bucket) => token.reads === true && isSeen(bucket),
      );
      if (found.length === 0 && org !== null) {
        return { status: 404, body: '{"code":"not found","message":"bucket not found"}' };
      }
      const buckets = found.map((bucket) => ({
        id: this.buckets.indexOf(bucket).toString(16).padStart(16, '0'),
        orgID: bucket.org,
        name: bucket.name,
      }));
      return { status: 200, body: JSON.stringify({ buckets }) };
    }
    if (pathname === WRITE_PATHS['2'] || pathname === '/api/v2/delete') {
      const [bucket] = named(parameters.get('bucket'), org ?? '');
      if (bucket === undefined) {
        return { status: 404, body: '{"code":"not found","message":"bucket not found"}' };
      }
      if (token.writes === true && isSeen(bucket)) return undefined;
      const message = 'insufficient permissions for write';
      return { status: 403, body: JSON.stringify({ code: 'forbidden', message }) };
    }
    if (pathname !== '/query' || method !== 'POST') return { status: 404, body: 'Not found' };
    const db = parameters.get('db') ?? '';
    const rp = parameters.get('rp');
    const bucket = rp === null ? db : `${db}/${rp}`;
    if (token.reads !== true || named(bucket, token.org).length === 0) {
      return resultError(
        rp === null ? `database not found: ${db}` : `retention policy not found: ${rp}`,
      );
    }
    // The statement looks at the default policy alone.
    const q = new URLSearchParams(body).get('q') ?? '';
    if (rp === null || !/SHOW TAG KEYS/i.test(q)) return undefined;
    return resultError(`default retention policy not set for: ${db}`);
  }
}

function resultError(error: string): Refusal {
  return { status: 200, body: JSON.stringify({ results: [{ statement_id: 0, error }] }) };
}
