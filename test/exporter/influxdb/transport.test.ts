import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { InfluxTransport, type RefusedRequest } from '../../../exporter/influxdb/transport.ts';
import { ForwardProxy } from '../../support/forward-proxy.ts';
import { until } from '../../support/until.ts';

describe('InfluxTransport', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown;
  let transport: InfluxTransport;
  const sockets = new Set<Socket>();
  const start = (path = ''): void => {
    const { port } = server.address() as AddressInfo;
    transport = new InfluxTransport(
      { url: `http://127.0.0.1:${port}${path}` },
      { maxSockets: 2, holdsProcess: false },
    );
  };

  beforeEach(async () => {
    sockets.clear();
    server = createServer((request, response) => void answer(request, response));
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    transport.close();
    server.closeAllConnections();
    server.close();
  });

  it('sends bytes as they are, below the path of the base address', async () => {
    const seen: unknown[] = [];
    answer = async (request, response) => {
      const body = String(await buffer(request));
      seen.push(request.method, request.url, request.headers['content-length'], body);
      response.writeHead(204, { 'X-Influxdb-Version': '1.8.10' }).end();
    };
    start('/v1/influxdb');
    const body = Buffer.from('a v=1i 1\nb v="ü" 2\n');
    const answered = await transport.request({
      method: 'POST',
      path: '/write?db=usage',
      body,
      timeoutMs: 10_000,
    });
    assert.deepEqual(seen, ['POST', '/v1/influxdb/write?db=usage', '20', 'a v=1i 1\nb v="ü" 2\n']);
    assert.deepEqual([answered.status, answered.body], [204, '']);
    assert.equal(answered.headers['x-influxdb-version'], '1.8.10');
  });

  it('uses a connection again, and never more than it may', async () => {
    let opened = 0;
    server.on('connection', () => opened++);
    answer = async (request, response) => {
      await buffer(request);
      response.writeHead(204).end();
    };
    start();
    const send = async (): Promise<number> =>
      (
        await transport.request({
          method: 'POST',
          path: '/write',
          body: Buffer.from('a v=1i 1\n'),
          timeoutMs: 10_000,
        })
      ).status;
    for (let i = 0; i < 5; i++) assert.equal(await send(), 204);
    assert.equal(opened, 1);
    await Promise.all(Array.from({ length: 20 }, send));
    assert.equal(opened, 2);
  });

  it('destroys the socket of an exchange that takes too long', async () => {
    answer = () => {};
    start();
    const request = transport.request({ method: 'GET', path: '/ping', timeoutMs: 50 });
    await assert.rejects(request, /no answer within 50 ms/);
    await until(() => sockets.size === 0);
  });

  it('rejects when the connection ends within the answer', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      response.once('finish', () => {});
      setImmediate(() => response.destroy());
    };
    start();
    await assert.rejects(transport.request({ method: 'GET', path: '/ping', timeoutMs: 10_000 }));
  });

  it('sends nothing more of a body whose answer came before its end', async () => {
    const received: Buffer[] = [];
    let goOn = (): void => {};
    answer = (request, response) => {
      request.once('data', () => {
        request.pause();
        response.writeHead(413).end('too large');
        request.on('data', (piece: Buffer) => received.push(piece));
        goOn = () => request.resume();
      });
    };
    start();
    const body = Buffer.alloc(32_000_000, 'a');
    const answered = await transport.request({
      method: 'POST',
      path: '/write',
      body,
      timeoutMs: 10_000,
    });
    assert.equal(answered.status, 413);
    // From here on others may be written into the memory of these.
    body.fill('b');
    goOn();
    await until(() => sockets.size === 0);
    assert.ok(received.every((piece) => !piece.includes('b')));
    assert.ok(Buffer.concat(received).length < 32_000_000);
  });

  it('keeps the connection after a refusal', async () => {
    let opened = 0;
    server.on('connection', () => opened++);
    answer = async (request, response) => {
      await buffer(request);
      const body = JSON.stringify({ error: 'x'.repeat(5000) });
      response.writeHead(400, { 'content-type': 'application/json', 'retry-after': '7' }).end(body);
    };
    start();
    for (let i = 0; i < 5; i++) {
      const answered = await transport.request({
        method: 'POST',
        path: '/write',
        body: Buffer.from('a v=1i 1\n'),
        timeoutMs: 10_000,
      });
      const { error } = JSON.parse(answered.body) as { error: string };
      assert.deepEqual([answered.status, error.length], [400, 5000]);
      assert.equal(answered.headers['retry-after'], '7');
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(opened, 1);
  });

  it('streams an answer, and ends the request when nobody listens any more', async () => {
    answer = (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('piece'), 1);
      response.once('close', () => clearInterval(timer));
    };
    start();
    const { signal } = new AbortController();
    let pieces = 0;
    for await (const piece of transport.stream({ method: 'GET', path: '/', signal })) {
      assert.ok(piece.length > 0);
      if (++pieces === 3) break;
    }
    await until(() => sockets.size === 0);
  });

  it('reports a refused stream with its answer, and the abort of one that hangs', async () => {
    answer = (_, response) => response.writeHead(401).end('who are you');
    start();
    const read = async (signal: AbortSignal): Promise<void> => {
      const stream = transport.stream({ method: 'POST', path: '/query', signal });
      await stream.next();
    };
    await assert.rejects(
      read(new AbortController().signal),
      (error: RefusedRequest) => error.answer.status === 401 && error.answer.body === 'who are you',
    );
    answer = () => {};
    await assert.rejects(read(AbortSignal.timeout(20)));
    await until(() => sockets.size === 0);
  });

  for (const way of ['directly', 'through a proxy', 'through a tunnel'] as const) {
    it(`does not keep a process alive that waits ${way}`, async () => {
      const proxy = await ForwardProxy.start();
      // The server never answers, nor shakes hands.
      answer = () => {};
      const { port } = server.address() as AddressInfo;
      const url = `${way === 'through a tunnel' ? 'https' : 'http'}://127.0.0.1:${port}`;
      const module = new URL('../../../exporter/influxdb/transport.ts', import.meta.url).href;
      const script = `
        const { InfluxTransport } = await import('${module}');
        const connection = ${JSON.stringify({ url, ...(way !== 'directly' && { proxy: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url } }) })};
        const transport = new InfluxTransport(connection, { maxSockets: 2, holdsProcess: false });
        transport.request({ method: 'GET', path: '/ping', timeoutMs: 60000 }).catch(() => {});
        // Long enough for the request to be on its way.
        setTimeout(() => {}, 500);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const start = performance.now();
      const [code] = (await once(child, 'exit')) as [number];
      await proxy.stop();
      assert.equal(code, 0);
      assert.ok(performance.now() - start < 20_000);
    }).timeout(30_000);
  }
});
