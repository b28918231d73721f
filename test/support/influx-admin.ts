import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface AdminBucket {
  readonly id: string;
  readonly orgID: string;
  readonly name: string;
  retentionRules: { everySeconds: number }[];
}

type Right = 'orgs' | 'buckets' | 'dbrps' | 'authorizations';
const ORG_ID = '00000000000000aa';

/**
 * The administration of an InfluxDB 2.x, by its sources (2.8): buckets, DBRP mappings, tokens. A right that
 * is missing is answered with 401 on writing, as it does, and with an empty list on reading.
 */
export class InfluxAdmin {
  readonly buckets: AdminBucket[] = [];
  readonly dbrps: Record<string, unknown>[] = [];
  readonly authorizations: Record<string, unknown>[] = [];
  org = 'acme';
  /** With all `rights`. */
  token = 'secret';
  rights = new Set<Right>(['orgs', 'buckets', 'dbrps', 'authorizations']);
  /** Of 2.3 and earlier: no mapping is there by itself. */
  mapsBuckets = true;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#body(request).then((body) => {
        const { status, value } = this.#answer(request, body);
        response.writeHead(status, {
          'content-type': 'application/json',
          'x-influxdb-version': 'v2.7.12',
        });
        response.end(value === undefined ? undefined : JSON.stringify(value));
      });
    });
  }

  static async start(): Promise<InfluxAdmin> {
    const admin = new InfluxAdmin();
    await new Promise<void>((resolve) => admin.#server.listen(0, '127.0.0.1', resolve));
    return admin;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #body(request: IncomingMessage): Promise<Record<string, unknown>> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    // Queries are forms.
    return (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;
  }

  #answer(
    { method, url = '/', headers }: IncomingMessage,
    body: Record<string, unknown>,
  ): { status: number; value?: unknown } {
    const { pathname, searchParams } = new URL(url, 'http://admin');
    if (pathname === '/ping') return { status: 204 };
    if (pathname === '/query') {
      const error = `database not found: ${searchParams.get('db')}`;
      return { status: 200, value: { results: [{ statement_id: 0, error }] } };
    }
    const refused = {
      status: 401,
      value: { code: 'unauthorized', message: 'unauthorized access' },
    };
    const [, , , kind = '', id] = pathname.split('/');
    const [, given = ''] = /^Token (.*)$/.exec(headers.authorization ?? '') ?? [];
    // A token that was made sees its bucket and nothing else.
    const isMade = this.authorizations.some(({ token }) => token === given);
    if (given !== this.token && !isMade) return refused;
    const may = isMade ? kind === 'buckets' && method === 'GET' : this.rights.has(kind as Right);
    if (method === 'GET') return this.#list(kind, searchParams, may);
    if (!may)
      return {
        status: 401,
        value: { code: 'unauthorized', message: `write:${kind} is unauthorized` },
      };
    if (kind === 'buckets' && method === 'PATCH') {
      const bucket = this.buckets.find((one) => one.id === id);
      if (bucket !== undefined) Object.assign(bucket, body);
      return { status: 200, value: bucket };
    }
    if (kind === 'buckets') {
      const bucket = {
        id: `000000000000000${this.buckets.length + 1}`,
        retentionRules: [],
        ...body,
      };
      this.buckets.push(bucket as unknown as AdminBucket);
      return { status: 201, value: bucket };
    }
    if (kind === 'dbrps') {
      this.dbrps.push({ id: 'd1', ...body });
      return { status: 201, value: body };
    }
    const number = this.authorizations.length;
    const made = { ...body, token: number === 0 ? 'made-token' : `made-token-${number + 1}` };
    this.authorizations.push(made);
    return { status: 201, value: made };
  }

  #list(
    kind: string,
    parameters: URLSearchParams,
    may: boolean,
  ): { status: number; value?: unknown } {
    const [org, orgID] = [parameters.get('org'), parameters.get('orgID')];
    if (kind === 'orgs')
      return {
        status: 200,
        value: { orgs: may && org === this.org ? [{ id: ORG_ID, name: org }] : [] },
      };
    if (kind === 'buckets') {
      const found = this.buckets.filter(({ name }) => name === parameters.get('name'));
      if (found.length === 0 && (org ?? orgID) !== null) {
        return { status: 404, value: { code: 'not found', message: 'bucket not found' } };
      }
      return { status: 200, value: { buckets: may ? found : [] } };
    }
    if (orgID === null) return { status: 400, value: { code: 'invalid', message: 'org missing' } };
    const db = parameters.get('db');
    const virtual = this.buckets
      .filter(({ name }) => this.mapsBuckets && name.split('/')[0] === db)
      .map(({ id, name }) => ({
        id,
        bucketID: id,
        database: db,
        retention_policy: name.split('/')[1] ?? 'autogen',
        default: !name.includes('/'),
        virtual: true,
      }));
    const content = [...this.dbrps.filter(({ database }) => database === db), ...virtual];
    return { status: 200, value: { content } };
  }
}
