import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { InfluxTransport } from '../../../exporter/influxdb/transport.ts';
import { until } from '../../support/until.ts';

describe('InfluxTransport', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown;
  let transport: InfluxTransport;
  const sockets = new Set<Socket>();
  const start = (path = ''): void => {
    const { port } = server.address() as AddressInfo;
    transport = new InfluxTransport(`http://127.0.0.1:${port}${path}`, 2);
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

  it('sends the pieces of a body as one, below the path of the base address', async () => {
    const seen: unknown[] = [];
    answer = async (request, response) => {
      const body = String(await buffer(request));
      seen.push(request.method, request.url, request.headers['content-length'], body);
      response.writeHead(204, { 'X-Influxdb-Version': '1.8.10' }).end();
    };
    start('/v1/influxdb/');
    const body = ['a v=1i 1\n', 'b v="ü" 2\n'].map((line) => Buffer.from(line));
    const told = await transport.request({
      method: 'POST',
      path: '/write?db=usage',
      body,
      timeoutMs: 10_000,
    });
    assert.deepEqual(seen, ['POST', '/v1/influxdb/write?db=usage', '20', 'a v=1i 1\nb v="ü" 2\n']);
    assert.deepEqual([told.status, told.body], [204, '']);
    assert.equal(told.headers['x-influxdb-version'], '1.8.10');
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
          body: [Buffer.from('a v=1i 1\n')],
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
    const body = Array.from({ length: 64 }, () => Buffer.alloc(500_000, 'a'));
    const told = await transport.request({
      method: 'POST',
      path: '/write',
      body,
      timeoutMs: 10_000,
    });
    assert.equal(told.status, 413);
    // From here on others may be written into the memory of these.
    for (const piece of body) piece.fill('b');
    goOn();
    await until(() => sockets.size === 0);
    assert.ok(received.every((piece) => !piece.includes('b')));
    assert.ok(Buffer.concat(received).length < 32_000_000);
  });
});
