import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { APP_TOKEN, type RunningApp, startExampleApp } from '../../support/example-app.ts';
import { until } from '../../support/until.ts';

const BODY = readFileSync(new URL('../../fixtures/otlp/opentelemetry-python.pb', import.meta.url));
const PROTOBUF = 'application/x-protobuf';
const REPORTER = 'reporter-token-5d0c1a';

describe('routes of OTLP', function () {
  this.timeout(90_000);
  let app: RunningApp;

  before(async () => {
    app = await startExampleApp({
      env: { TOKEN_METER_REPORTER_TOKEN: REPORTER, TOKEN_METER_VIEWER_TOKEN: 'viewer-token-93af' },
    });
  });
  after(() => app?.close());

  const send = async (
    body: Buffer | string,
    headers: Readonly<Record<string, string>> = {},
    path = '/v1/traces',
  ): Promise<Response> =>
    await fetch(app.origin + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${REPORTER}`, 'content-type': PROTOBUF, ...headers },
      body,
    });
  const calls = async (): Promise<readonly { readonly service: string }[]> => {
    const answer = await app.api('/api/usage/records?limit=100');
    return ((await answer.json()) as { records: { service: string }[] }).records;
  };

  it('records the calls of a service in another language, once however often it sends them', async () => {
    for (const [body, headers] of [
      [BODY, {}],
      [gzipSync(BODY), { 'content-encoding': 'gzip' }],
    ] as const) {
      const answer = await send(body, headers);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), PROTOBUF);
      assert.equal((await answer.arrayBuffer()).byteLength, 0);
    }
    await until(async () => (await calls()).length >= 3);
    assert.deepEqual(
      (await calls()).map(({ service }) => service),
      ['py-otel', 'py-otel', 'py-otel'],
    );
  });

  it('records the same calls once after a restart too', async () => {
    await app.stop();
    app = await startExampleApp({
      directory: app.directory,
      env: { TOKEN_METER_REPORTER_TOKEN: REPORTER, TOKEN_METER_VIEWER_TOKEN: 'viewer-token-93af' },
    });
    assert.equal((await send(BODY)).status, 200);
    await app.chat({ user_id: 'ann', model: 'gpt-4o', message: 'Hello' });
    await until(async () => (await calls()).some(({ service }) => service !== 'py-otel'));
    const fromPython = (await calls()).filter(({ service }) => service === 'py-otel');
    assert.equal(fromPython.length, 3);
  });

  it('answers JSON in JSON, and says how many calls it refused', async () => {
    const span = {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      startTimeUnixNano: '1',
      endTimeUnixNano: `${Date.now() + 2 * 86_400_000}000000`,
      attributes: [
        { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
        { key: 'gen_ai.request.model', value: { stringValue: 'm' } },
      ],
    };
    const answer = await send(
      JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
      { 'content-type': 'application/json' },
    );
    assert.equal(answer.status, 200);
    const { partialSuccess } = (await answer.json()) as {
      partialSuccess: { rejectedSpans: string };
    };
    assert.equal(partialSuccess.rejectedSpans, '1');
    const none = await send('{}', { 'content-type': 'application/json' }, '/v1/metrics');
    assert.deepEqual(await none.json(), {});
  });

  it('needs a token to report, which opens nothing else', async () => {
    for (const [authorization, status] of [
      ['', 401],
      ['Bearer wrong', 401],
      ['Bearer viewer-token-93af', 403],
      [`Bearer ${APP_TOKEN}`, 200],
    ] as const) {
      const answer = await send(BODY, { authorization });
      assert.equal(answer.status, status, authorization);
    }
    for (const path of ['/api/usage/summary', '/api/usage/records', '/api/settings/metrics']) {
      const answer = await fetch(app.origin + path, {
        headers: { authorization: `Bearer ${REPORTER}` },
      });
      assert.equal(answer.status, 403, path);
    }
  });

  it('refuses what it cannot read, with the status of its reason', async () => {
    const huge = Buffer.alloc(5 * 1024 * 1024);
    for (const [body, headers, status] of [
      ['no protobuf', {}, 400],
      ['{', { 'content-type': 'application/json' }, 400],
      ['not gzip', { 'content-encoding': 'gzip' }, 400],
      [gzipSync(BODY).subarray(0, 100), { 'content-encoding': 'gzip' }, 400],
      [huge, {}, 413],
      [gzipSync(huge), { 'content-encoding': 'gzip' }, 413],
      [BODY, { 'content-encoding': 'zstd' }, 415],
      [BODY, { 'content-type': 'text/plain' }, 415],
    ] as const) {
      const answer = await send(body, headers).catch((error: unknown) => error);
      // A client that still sends may see the connection end before it reads the answer.
      if (status === 413 && !(answer instanceof Response)) continue;
      assert(answer instanceof Response, String(answer));
      assert.equal(answer.status, status);
    }
    assert.equal((await send(BODY)).status, 200, 'and goes on');
  });

  it('reads a bounded number of bodies of one sender at once, and others meanwhile', async () => {
    const { hostname, port } = new URL(app.origin);
    const slow = Array.from({ length: 8 }, () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.write(
        [
          'POST /v1/traces HTTP/1.1',
          'Host: 127.0.0.1',
          `Authorization: Bearer ${REPORTER}`,
          `Content-Type: ${PROTOBUF}`,
          'Content-Length: 1000',
          '',
          'x',
        ].join('\r\n'),
      );
      return socket;
    });
    await until(async () => {
      const answer = await send(BODY);
      return answer.status === 503 && answer.headers.get('retry-after') === '1';
    });
    assert.equal((await send(BODY, { authorization: `Bearer ${APP_TOKEN}` })).status, 200);
    // They are given up after ten seconds.
    await until(async () => (await send(BODY)).status === 200, 20_000);
    for (const socket of slow) socket.destroy();
  });
});
