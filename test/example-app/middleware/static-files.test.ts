import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type ServedApp, serveApp } from '../../support/app.ts';

describe('text files', () => {
  let app: ServedApp;
  let path: string;
  let style: string;
  before(async () => {
    app = await serveApp();
    const html = await (await fetch(app.origin)).text();
    [style = ''] = /\/assets\/[^"]+\.css/.exec(html) ?? [];
    [path = ''] = /\/assets\/[^"]+\.js/.exec(html) ?? [];
  });
  after(async () => {
    await app.close();
  });

  interface Received {
    readonly status: number | undefined;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
  }
  /** Unlike `fetch`, this decodes nothing and adds no header. */
  const receive = async (
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
  ): Promise<Received> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    get(app.origin + path, { headers, method, agent: false }, resolve).on('error', reject);
    const answer = await promise;
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece as Buffer);
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) };
  };

  it('are compressed as the client prefers, and plain for one that accepts nothing', async () => {
    const plain = await receive(path);
    assert.equal(plain.headers['content-encoding'], undefined);
    const cases: readonly [accept: string, coding: string | undefined][] = [
      ['br, gzip, deflate', 'br'],
      ['gzip, deflate, br, zstd', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0.5, gzip;q=0.1', 'br'],
      ['br;q=0, gzip', 'gzip'],
      ['*', 'br'],
      ['deflate', undefined],
      ['identity', undefined],
      ['gzip;q=0', undefined],
      ['', undefined],
    ];
    for (const [accept, coding] of cases) {
      const { headers, body } = await receive(path, { 'accept-encoding': accept });
      assert.equal(headers['content-encoding'], coding, accept);
      assert.match(headers.vary ?? '', /accept-encoding/i, accept);
      assert.equal(Number(headers['content-length']), body.length);
      const text =
        coding === 'br' ? brotliDecompressSync(body) : coding === 'gzip' ? gunzipSync(body) : body;
      assert.deepEqual(text, plain.body, accept);
      if (coding !== undefined) assert.ok(body.length < plain.body.length / 2);
    }
  });

  it('have an ETag for each coding, and answer 304 to it alone', async () => {
    const etags = new Set<string>();
    for (const accept of ['br', 'gzip', 'identity']) {
      const headers = { 'accept-encoding': accept };
      const etag = (await receive(path, headers)).headers.etag ?? '';
      assert.match(etag, /^"[\w-]+"$/);
      etags.add(etag);
      const again = await receive(path, { ...headers, 'if-none-match': etag });
      assert.equal(again.status, 304);
      assert.equal(again.body.length, 0);
      assert.equal(again.headers['content-encoding'], undefined);
      assert.match(again.headers.vary ?? '', /accept-encoding/i);
      assert.equal(again.headers.etag, etag);
    }
    assert.equal(etags.size, 3);
    const [brotli = ''] = etags;
    const other = { 'accept-encoding': 'gzip', 'if-none-match': brotli };
    assert.equal((await receive(path, other)).status, 200);
  });

  it('have a name made from their content, and are kept for good; pages are not', async () => {
    for (const each of [path, style]) {
      assert.match(each, /\.[A-Z0-9]{8}\.\w+$/);
      const { headers } = await receive(each);
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    }
    assert.equal((await receive('/')).headers['cache-control'], 'no-cache');
    const dark = await receive('/', { cookie: 'token_meter_theme=dark' });
    assert.match(dark.body.toString(), /<html lang="en" data-theme="dark">/);
    assert.match(dark.headers.vary ?? '', /cookie/i);
    const odd = await receive('/', { cookie: 'token_meter_theme="><script>' });
    assert.doesNotMatch(odd.body.toString(), /data-theme/);
  });

  it('are pages too, in each language, and so small that they need no compression', async () => {
    const headers = { 'accept-encoding': 'br', 'accept-language': 'zh-CN' };
    const page = await receive('/', headers);
    assert.match(page.body.toString(), /<html lang="zh-CN">/);
    assert.match(page.headers.vary ?? '', /accept-language/i);
    assert.ok(page.body.length < 1024 + 512, String(page.body.length));
    const head = await receive('/', headers, 'HEAD');
    assert.equal(head.body.length, 0);
    assert.equal(head.headers['content-length'], String(page.body.length));
    assert.equal((await receive('/')).headers['content-encoding'], undefined);
  });

  it('are the same for many requests at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => receive(style, { 'accept-encoding': 'gzip' })),
    );
    assert.equal(new Set(answers.map(({ body }) => body.toString('base64'))).size, 1);
  });
});
