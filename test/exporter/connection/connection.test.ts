import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { buffer } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { InfluxUsageProcessor } from '../../../exporter/influxdb/write/influx-usage-processor.ts';
import { InfluxUsageReader } from '../../../exporter/influxdb/read/influx-usage-reader.ts';
import {
  type ConnectionOptions,
  resolveConnection,
} from '../../../exporter/connection/connection.ts';
import { ForwardProxy } from '../../support/forward-proxy.ts';
import { logOf, usageRecord } from '../../support/usage-logs.ts';

const file = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));

describe('connection to InfluxDB', () => {
  const proxyOf = (
    url: string,
    env: Record<string, string>,
    options: ConnectionOptions = {},
  ): unknown => resolveConnection('Test', url, options, env).proxy;

  it('takes the proxy of the environment, except for this machine', () => {
    const url = 'http://db.example:8086';
    assert.equal(proxyOf(url, {}), undefined);
    assert.deepEqual(proxyOf(url, { HTTP_PROXY: 'http://a:1', http_proxy: 'http://b:1' }), {
      HTTP_PROXY: 'http://b:1',
    });
    assert.deepEqual(proxyOf(url, { HTTPS_PROXY: 'http://a:1', NO_PROXY: '.example' }), {
      HTTPS_PROXY: 'http://a:1',
      NO_PROXY: '.example',
    });
    assert.equal(proxyOf(url, { HTTP_PROXY: 'http://a:1', NODE_USE_ENV_PROXY: '0' }), undefined);
    assert.equal(proxyOf('http://127.0.0.1:8086', { HTTP_PROXY: 'http://a:1' }), undefined);
    const own = { proxyUrl: 'http://own:3128' };
    assert.deepEqual(proxyOf(url, { HTTP_PROXY: 'http://a:1', NO_PROXY: '*' }, own), {
      HTTP_PROXY: 'http://own:3128',
      HTTPS_PROXY: 'http://own:3128',
    });
  });

  it('refuses a wrong proxy without showing its password', () => {
    assert.throws(
      () => resolveConnection('Test', 'http://db', { proxyUrl: 'socks5://me:hush@proxy' }, {}),
      (error: unknown) =>
        !inspect(error).includes('hush') && /proxyUrl must be/.test(String(error)),
    );
  });

  it('refuses certificates that cannot be read, or come without their key', () => {
    const resolve = (tls: object) => (): unknown =>
      resolveConnection('Test', 'https://db', { tls }, {});
    assert.throws(resolve({ caFile: '/nowhere/ca.pem' }), {
      code: 'INVALID_OPTION',
      value: '/nowhere/ca.pem',
    });
    assert.throws(resolve({ certFile: file('client.pem') }), /must be given together/);
    assert.throws(
      resolve({ certFile: file('client.pem'), keyFile: file('client.encrypted.key') }),
      { code: 'INVALID_OPTION' },
    );
    assert.throws(resolve({ caFile: fileURLToPath(import.meta.url) }), { code: 'INVALID_OPTION' });
  });

  describe('used by the processor and the reader', () => {
    const written: string[] = [];
    const clients: unknown[] = [];
    let proxy: ForwardProxy;
    let server: Server;
    const handle: RequestListener = (request, response) => {
      void (async () => {
        const body = await buffer(request);
        const socket = request.socket as TLSSocket;
        clients.push(socket.encrypted ? socket.getPeerCertificate().subject?.CN : undefined);
        if (request.url?.startsWith('/write') === true) written.push(String(body));
        const isQuery = request.url?.startsWith('/query') === true;
        response.writeHead(isQuery ? 200 : 204, { 'x-influxdb-version': '1.8.10' });
        response.end(isQuery ? '{"results":[{"statement_id":0}]}\n' : undefined);
      })();
    };
    const start = async (made: Server): Promise<number> => {
      server = made;
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return (server.address() as AddressInfo).port;
    };
    const startTls = async (): Promise<number> =>
      await start(
        createHttps(
          {
            cert: readFileSync(file('server.pem')),
            key: readFileSync(file('server.key')),
            ca: readFileSync(file('ca.pem')),
            requestCert: true,
            rejectUnauthorized: true,
          },
          handle,
        ),
      );

    /** One record out, one question back. */
    const writeAndRead = async (url: string, options: ConnectionOptions): Promise<void> => {
      const processor = new InfluxUsageProcessor({
        rollUps: false,
        url,
        bucket: 'usage',
        spool: false,
        ...options,
      });
      processor.onEmit(logOf(usageRecord(Date.now())));
      await processor.forceFlush();
      assert.equal(processor.status().delivered, 1, inspect(processor.status().lastError));
      await processor.shutdown();
      const reader = new InfluxUsageReader({ url, bucket: 'usage', ...options });
      assert.deepEqual((await reader.records()).records, []);
      await reader.close();
    };

    beforeEach(async () => {
      written.length = 0;
      clients.length = 0;
      proxy = await ForwardProxy.start();
      proxy.hosts.set('influx.test', '127.0.0.1');
    });
    afterEach(async () => {
      await proxy.stop();
      server.closeAllConnections();
      server.close();
    });

    it('goes through a proxy that asks for a login', async () => {
      const port = await start(createHttp(handle));
      const proxyUrl = `http://me:hush@127.0.0.1:${proxy.port}`;
      await writeAndRead(`http://influx.test:${port}`, { proxyUrl });
      assert.equal(written.length, 1);
      assert.deepEqual([...proxy.authorizations], [`Basic ${btoa('me:hush')}`]);
      assert.ok(
        proxy.requests.some((line) => line.startsWith(`POST http://influx.test:${port}/query`)),
      );
    });

    it('goes through a proxy of the environment', async () => {
      const port = await start(createHttp(handle));
      process.env['http_proxy'] = proxy.url;
      try {
        await writeAndRead(`http://influx.test:${port}`, {});
      } finally {
        delete process.env['http_proxy'];
      }
      assert.ok(proxy.requests.length > 2);
    });

    it('tunnels TLS with its own authority and certificate', async () => {
      const port = await startTls();
      const tls = {
        caFile: file('ca.pem'),
        certFile: file('client.pem'),
        keyFile: file('client.encrypted.key'),
        passphrase: 'hush',
      };
      await writeAndRead(`https://influx.test:${port}`, { proxyUrl: proxy.url, tls });
      assert.ok(proxy.requests.every((line) => line === `CONNECT influx.test:${port}`));
      await writeAndRead(`https://localhost:${port}`, { tls });
      assert.deepEqual([...new Set(clients)], ['meter']);
    });

    it('keeps records while the server cannot be trusted', async () => {
      const port = await startTls();
      const processor = new InfluxUsageProcessor({
        rollUps: false,
        url: `https://localhost:${port}`,
        bucket: 'usage',
        spool: false,
      });
      processor.onEmit(logOf(usageRecord(Date.now())));
      await processor.forceFlush();
      const { delivered, pending, lastError } = processor.status();
      await processor.shutdown();
      assert.deepEqual([delivered, pending, written.length], [0, 1, 0]);
      assert.match(lastError?.code ?? '', /CERT|UNABLE_TO_VERIFY/);
    });
  });
});
