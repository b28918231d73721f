/**
 * ClickHouse's HTTP interface in front of the engine of chdb, for tests and benchmarks:
 *
 *     node server.mjs FOLDER PORT [USER:PASSWORD]
 *
 * As https://clickhouse.com/docs/interfaces/http has it: the query in the URL or the body, `param_*`, settings, `database`,
 * `query_id`, gzip in both directions, exceptions with their code, and an end of the query when the client goes away.
 */
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Session } from 'chdb';

const [folder, port, login] = process.argv.slice(2);
const SESSIONS = 8;
const MAX_SET = 100_000;
/** Parameters of a request that are no settings. */
const NO_SETTINGS = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'session_id',
  'role',
  'enable_http_compression',
  'wait_end_of_query',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
]);
/** Statuses of `exceptionCodeToHTTPStatus` in the server's sources; every other code is a 500. */
const STATUS = {
  36: 400,
  43: 400,
  47: 400,
  50: 400,
  53: 400,
  62: 400,
  6: 400,
  26: 400,
  27: 400,
  38: 400,
  41: 400,
  72: 400,
  117: 400,
  130: 400,
  456: 400,
  46: 404,
  60: 404,
  81: 404,
  16: 404,
  115: 404,
  159: 408,
  516: 403,
  497: 403,
  194: 401,
};

class Pool {
  #free = [];
  #made = 0;
  #waiting = [];

  async use(work) {
    const session = await this.#take();
    try {
      return await work(session);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(session);
      else next(session);
    }
  }

  #take() {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#made < SESSIONS) {
      this.#made++;
      return new Session(folder);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const pool = new Pool();
const literal = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Settings that a session was left with. */
const settingsOf = new WeakMap();

/** Three statements for a request, unless its values are long: each is parsed and waits for a thread. */
async function run(session, { text, parameters, format, comment }) {
  const execute = async (query) => await session.queryAsync(query, { format });
  const all = [...parameters];
  const values = all.filter(([name]) => name.startsWith('param_'));
  const settings = all.filter(([name]) => !NO_SETTINGS.has(name) && !name.startsWith('param_'));
  const left = settingsOf.get(session) ?? [];
  settingsOf.set(
    session,
    settings.map(([name]) => name),
  );
  const changes = [
    ...left.filter((name) => !parameters.has(name)).map((name) => `${name} = DEFAULT`),
    ...[...values, ...settings].map(([name, value]) => `${name} = ${literal(value)}`),
  ];
  // A value may be as long as a statement; all together would be too long.
  const sets = [''];
  for (const change of changes) {
    const last = sets.at(-1);
    if (last === '') sets[sets.length - 1] = change;
    else if (last.length + change.length < MAX_SET) sets[sets.length - 1] = `${last}, ${change}`;
    else sets.push(change);
  }
  try {
    if (changes.length > 0) for (const set of sets) await execute(`SET ${set}`);
  } catch (error) {
    settingsOf.delete(session);
    for (const name of [...left, ...settings.map(([one]) => one)]) {
      await execute(`SET ${name} = DEFAULT`).catch(() => {});
    }
    throw error;
  }
  await execute(`USE ${parameters.get('database') ?? 'default'}`);
  return await execute(`/* ${comment} */ ${text}`);
}

async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  return request.headers['content-encoding'] === 'gzip' ? await promisify(gunzip)(body) : body;
}

function isAllowed({ headers }) {
  if (login === undefined) return true;
  if (headers.authorization !== undefined) {
    return headers.authorization === `Basic ${Buffer.from(login).toString('base64')}`;
  }
  return `${headers['x-clickhouse-user']}:${headers['x-clickhouse-key']}` === login;
}

function fail(response, code, message, queryId) {
  response.writeHead(STATUS[code] ?? 500, {
    'content-type': 'text/plain; charset=UTF-8',
    'x-clickhouse-exception-code': String(code),
    'x-clickhouse-query-id': queryId,
  });
  response.end(`${message}\n`);
}

let sequence = 0;

async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/ping') return void response.writeHead(200).end('Ok.\n');
  const parameters = new Map(url.searchParams);
  const queryId = parameters.get('query_id') ?? `q${++sequence}`;
  if (!isAllowed(request)) {
    await bodyOf(request);
    return fail(
      response,
      516,
      'Code: 516. DB::Exception: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)',
      queryId,
    );
  }
  let body = await bodyOf(request);
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data')) {
    const form = await new Response(body, { headers: { 'content-type': type } }).formData();
    for (const [name, value] of form) parameters.set(name, value);
    body = Buffer.alloc(0);
  }
  const query = parameters.get('query');
  const text = query === undefined ? body.toString() : `${query}\n${body.toString()}`;
  const comment = `tm-${process.pid}-${++sequence}`;
  let isRunning = true;
  const isWaitedFor = parameters.get('cancel_http_readonly_queries_on_client_close') !== '1';
  response.once('close', () => {
    if (!isRunning || isWaitedFor) return;
    const kill = `KILL QUERY WHERE query LIKE '%${comment}%' AND query NOT LIKE '%KILL%' ASYNC`;
    pool.use(async (session) => await session.queryAsync(kill)).catch(() => {});
  });
  try {
    const format =
      parameters.get('default_format') ?? request.headers['x-clickhouse-format'] ?? 'TabSeparated';
    const result = await pool.use(
      async (session) => await run(session, { text, parameters, format, comment }),
    );
    isRunning = false;
    const bytes = Buffer.from(result.bytes());
    const isZipped =
      parameters.get('enable_http_compression') === '1' &&
      /gzip/.test(request.headers['accept-encoding'] ?? '');
    response.writeHead(200, {
      'content-type': 'text/plain; charset=UTF-8',
      'x-clickhouse-query-id': queryId,
      'x-clickhouse-format': format,
      'x-clickhouse-timezone': 'UTC',
      'x-clickhouse-summary': JSON.stringify({
        read_rows: String(result.rowsRead),
        read_bytes: String(result.bytesRead),
        written_rows: '0',
        written_bytes: '0',
        total_rows_to_read: '0',
        result_rows: '0',
        result_bytes: '0',
      }),
      ...(isZipped && { 'content-encoding': 'gzip' }),
    });
    response.end(isZipped ? await promisify(gzip)(bytes) : bytes);
  } catch (error) {
    isRunning = false;
    fail(response, error.clickhouseCode ?? 1002, error.message, queryId);
  }
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
});
server.keepAliveTimeout = 10_000;
server.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
