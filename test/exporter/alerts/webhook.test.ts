import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UsageAlert } from '../../../exporter/alerts/usage-alerts.ts';
import { AlertWebhook } from '../../../exporter/alerts/webhook.ts';

const alert: UsageAlert = {
  id: 'burn/安/alert/1',
  rule: 'burn',
  level: 'alert',
  previousLevel: 'ok',
  metric: 'totalTokens',
  by: 'user',
  key: '安',
  value: 500,
  threshold: 200,
  noData: false,
  windowMs: 60_000,
  time: '2026-11-24T00:00:00.000Z',
};

describe('AlertWebhook', () => {
  let server: Server;
  let url: string;
  let statuses: number[] = [];
  let seen: { headers: IncomingHttpHeaders; body: string }[] = [];

  beforeEach(async () => {
    statuses = [];
    seen = [];
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen.push({ headers: request.headers, body });
      const status = statuses.shift() ?? 204;
      if (status === 0) return;
      if (status === 302) response.setHeader('location', 'http://127.0.0.1:1/elsewhere');
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('posts the alert with a signature the receiver can check', async () => {
    const webhook = new AlertWebhook({ url, secret: `whsec_${btoa('very secret')}` });
    webhook.send(alert);
    await webhook.flush();
    const [request] = seen;
    assert.ok(request);
    assert.deepEqual(JSON.parse(request.body).data, alert);
    const { 'webhook-id': id, 'webhook-timestamp': timestamp } = request.headers;
    const signedText = [id, timestamp, request.body].join('.');
    const expected = createHmac('sha256', 'very secret').update(signedText).digest('base64');
    assert.equal(request.headers['webhook-signature'], `v1,${expected}`);
    assert.deepEqual(webhook.status(), {
      delivered: 1,
      dropped: { queue_full: 0, refused: 0, failed: 0 },
      queued: 0,
    });
  });

  it('retries what may pass, in order and with the same id', async () => {
    statuses = [503, 429, 200];
    const webhook = new AlertWebhook({ url, retryDelayMs: 5 });
    webhook.send(alert);
    webhook.send({ ...alert, id: 'second' });
    await webhook.flush();
    assert.equal(new Set(seen.slice(0, 3).map(({ headers }) => headers['webhook-id'])).size, 1);
    assert.equal(seen[3]?.headers['webhook-id'], 'second');
    assert.equal(webhook.status().delivered, 2);
  });

  it('gives up and counts: refused, redirected, hanging', async () => {
    statuses = [400, 302, 302, 0, 0];
    const webhook = new AlertWebhook({ url, retryDelayMs: 1, maxAttempts: 2, timeoutMs: 100 });
    for (let i = 0; i < 3; i++) webhook.send(alert);
    await webhook.flush();
    assert.deepEqual(webhook.status().dropped, { queue_full: 0, refused: 1, failed: 2 });
    assert.equal(seen.length, 5);
  });

  it('bounds its queue and ends at once on close', async () => {
    statuses = [0];
    const webhook = new AlertWebhook({ url, maxQueued: 2 });
    for (let i = 0; i < 5; i++) webhook.send(alert);
    assert.equal(webhook.status().queued, 2);
    assert.equal(webhook.status().dropped.queue_full, 2);
    await sleep(20);
    await webhook.close();
    assert.equal(webhook.status().delivered, 0);
  });

  it('refuses an address that is not http', () => {
    assert.throws(() => new AlertWebhook({ url: 'file:///etc/passwd' }), {
      code: 'INVALID_OPTION',
    });
  });
});
