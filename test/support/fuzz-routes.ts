import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ADMIN_TOKEN, VIEWER_TOKEN } from './app.ts';
import type { WholeApp } from './whole-app.ts';

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface Operation {
  readonly parameters?: readonly { name: string; in: 'path' | 'query'; schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Schema }>> };
  readonly 'x-role'?: string;
}

export interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Every operation of `/openapi.json`. */
export async function describedOperations(origin: string): Promise<readonly Described[]> {
  const { paths } = (await (await fetch(`${origin}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
  );
}

export interface FuzzedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const NASTY = [
  '',
  '0',
  '-1',
  '1e309',
  'NaN',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '%00',
  '\u0000',
  '\r\nx: y',
  "'; DROP TABLE usage; --",
  '" OR 1=1',
  '${7*7}',
  '<script>alert(1)</script>',
  '\ud800',
  '💥'.repeat(50),
  'a'.repeat(3000),
  '2026-11-25T00:00:00Z',
  '99999-99-99',
];

/** Generates a value for a schema: valid, almost valid, or hostile. */
function valueFor({ type, enum: choices, properties }: Schema, depth = 0): fc.Arbitrary<unknown> {
  const types = Array.isArray(type) ? type : [type];
  const fitting: fc.Arbitrary<unknown>[] = [];
  if (choices) fitting.push(fc.constantFrom(...choices));
  if (types.includes('boolean')) fitting.push(fc.boolean());
  if (types.includes('integer') || types.includes('number')) fitting.push(fc.integer());
  if (types.includes('string')) fitting.push(fc.string());
  if (types.includes('null')) fitting.push(fc.constant(null));
  if (properties && depth < 3) {
    const members = Object.entries(properties).map(([key, schema]) => [
      key,
      valueFor(schema, depth + 1),
    ]);
    fitting.push(
      fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>, {
        requiredKeys: [],
      }),
    );
  }
  const wrong = fc.oneof(fc.constantFrom(...NASTY), fc.jsonValue({ maxDepth: 3 }));
  return fitting.length > 0
    ? fc.oneof({ weight: 3, arbitrary: fc.oneof(...fitting) }, { weight: 1, arbitrary: wrong })
    : wrong;
}

const headerText = fc
  .oneof(fc.constantFrom(...NASTY), fc.string())
  .map((text) => text.replaceAll(/[^\x20-\x7e]/g, '?'));

const identity = fc.oneof(
  fc.constantFrom<Record<string, string>>(
    {},
    { authorization: `Bearer ${ADMIN_TOKEN}` },
    { authorization: `Bearer ${ADMIN_TOKEN}` },
    { authorization: `Bearer ${VIEWER_TOKEN}` },
  ),
  headerText.map((cookie) => ({ cookie: `token_meter_session=${cookie}` })),
);

const someHeaders = fc.dictionary(
  fc.constantFrom(
    'if-match',
    'if-none-match',
    'last-event-id',
    'accept',
    'accept-language',
    'origin',
    'range',
    'sec-fetch-site',
    'x-forwarded-for',
    'x-http-method-override',
  ),
  headerText,
  { maxKeys: 3 },
);

/** Requests for one operation, most of them almost valid. */
export function requestsFor({ method, path, operation }: Described): fc.Arbitrary<FuzzedRequest> {
  const { parameters = [], requestBody } = operation;
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const bodySchema = Object.values(requestBody?.content ?? {})[0]?.schema ?? {};
  const types = [...Object.keys(requestBody?.content ?? {}), 'application/json', 'text/plain', ''];
  const text = (schema: Schema): fc.Arbitrary<string> =>
    valueFor(schema).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  const query: fc.Arbitrary<Record<string, string>> = fc.record(
    Object.fromEntries(inQuery.map(({ name, schema }) => [name, text(schema)])),
    { requiredKeys: [] },
  ) as fc.Arbitrary<Record<string, string>>;
  return fc
    .record({
      method: fc.oneof(
        { weight: 8, arbitrary: fc.constant(method.toUpperCase()) },
        { weight: 1, arbitrary: fc.constantFrom('HEAD', 'OPTIONS', 'PUT', 'POST', 'DELETE') },
      ),
      ids: fc.tuple(...inPath.map(({ schema }) => text(schema))),
      query,
      extra: fc.option(fc.tuple(fc.string(), fc.string()), { freq: 5 }),
      identity,
      headers: someHeaders,
      type: fc.constantFrom(...types),
      body: fc.oneof(
        { weight: 4, arbitrary: valueFor(bodySchema).map((value) => JSON.stringify(value)) },
        { weight: 1, arbitrary: fc.string() },
        { weight: 1, arbitrary: fc.constantFrom('{"__proto__":{"a":1}}', '['.repeat(3000), '') },
      ),
    })
    .map((parts) => {
      let filled = path;
      for (const [i, { name }] of inPath.entries()) {
        filled = filled.replace(`{${name}}`, encoded(parts.ids[i] ?? ''));
      }
      const pairs = [...Object.entries(parts.query), ...(parts.extra ? [parts.extra] : [])];
      const search = pairs.map(([key, value]) => `${encoded(key)}=${encoded(value)}`).join('&');
      const hasBody = !['GET', 'HEAD'].includes(parts.method);
      return {
        method: parts.method,
        path: search === '' ? filled : `${filled}?${search}`,
        headers: {
          ...parts.headers,
          ...parts.identity,
          ...(parts.type !== '' && hasBody && { 'content-type': parts.type }),
        },
        ...(hasBody && { body: parts.body }),
      };
    });
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

const LEAKS = [
  /\bat .+:\d+:\d+/,
  /node_modules|file:\/\/|\.ts\b/,
  /secret-(admin|viewer)|sk-canary/,
  /(Type|Range|Syntax|Reference)Error|ZodError|SQLITE_|Koa/,
];

/** Sends a request, checks what every response must satisfy, and returns its status. */
export async function checkAnswer(app: WholeApp, request: FuzzedRequest): Promise<number> {
  const { path, ...init } = request;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error('it hangs')), 5000);
  try {
    const answer = await fetch(app.origin + path, { ...init, signal: abort.signal });
    const type = answer.headers.get('content-type') ?? '';
    const text = type.startsWith('text/event-stream')
      ? await firstChunk(answer)
      : await answer.text();
    const isCrowded = answer.status === 503 && text.includes('too_many_streams');
    assert.ok(answer.status < 500 || isCrowded, `${answer.status} ${text}`);
    if (answer.status >= 400 && request.method !== 'HEAD') {
      assert.match(type, /^application\/problem\+json/, text);
      assert.equal((JSON.parse(text) as { status: number }).status, answer.status);
    }
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    for (const leak of LEAKS) {
      if (!path.startsWith('/openapi')) assert.doesNotMatch(withoutEcho(text, request), leak);
    }
    assert.deepEqual(app.errors.map(String), []);
    return answer.status;
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** Values from the request may be echoed. */
function withoutEcho(text: string, { body = '' }: FuzzedRequest): string {
  return body.length > 3 ? text.replaceAll(body, '') : text;
}

async function firstChunk(answer: Response): Promise<string> {
  const reader = answer.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  await reader?.cancel();
  return new TextDecoder().decode(value);
}
