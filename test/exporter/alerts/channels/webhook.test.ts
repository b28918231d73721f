import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import type { UsageAlert } from '../../../../exporter/alerts/usage-alert.ts';
import { AlertWebhook } from '../../../../exporter/alerts/channels/webhook.ts';
import { until } from '../../../support/until.ts';

const alert: UsageAlert = {
  id: 'burn/安/alert/1',
  incident: 'burn/安',
  kind: 'threshold',
  rule: 'burn',
  level: 'alert',
  previousLevel: 'ok',
  metric: 'totalTokens',
  by: 'user',
  key: '安',
  value: 500,
  threshold: 200,
  noData: false,
  from: '2026-11-23T23:59:00.000Z',
  to: '2026-11-24T00:00:00.000Z',
  windowMs: 60_000,
  timeZone: 'UTC',
  time: '2026-11-24T00:00:00.000Z',
};

const SECRET = `whsec_${Buffer.from('32 bytes, as the specification asks').toString('base64')}`;

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function textHeaders({ headers }: Received): Record<string, string> {
  return headers as Record<string, string>;
}

describe('AlertWebhook', () => {
  let server: Server;
  let url: string;
  let statuses: number[] = [];
  let retryAfter: string | undefined;
  let seen: Received[] = [];

  beforeEach(async () => {
    statuses = [];
    seen = [];
    retryAfter = undefined;
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen.push({ headers: request.headers, body });
      const status = statuses.shift() ?? 204;
      if (status === 0) return;
      if (status === 302) response.setHeader('location', 'http://127.0.0.1:1/elsewhere');
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
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
    const webhook = new AlertWebhook({ url, secret: SECRET });
    void webhook.send(alert);
    await webhook.flush();
    const [request] = seen;
    assert.ok(request);
    const receiver = new Webhook(SECRET);
    assert.deepEqual(receiver.verify(request.body, textHeaders(request)), {
      type: 'token_meter.alert',
      timestamp: alert.time,
      data: alert,
    });
    const forged = request.body.replace('"value":500', '"value":501');
    assert.throws(() => receiver.verify(forged, textHeaders(request)), WebhookVerificationError);
    assert.deepEqual(webhook.status(), {
      delivered: 1,
      dropped: { queue_full: 0, refused: 0, failed: 0 },
      queued: 0,
    });
  });

  it('signs with a secret of any text, and each attempt with its own time', async () => {
    statuses = [503];
    let now = Date.now();
    const webhook = new AlertWebhook({
      url,
      secret: 'a shared secret',
      retryDelayMs: 1,
      now: () => (now += 2000),
    });
    await webhook.send(alert);
    const receiver = new Webhook('a shared secret', { format: 'raw' });
    for (const request of seen) receiver.verify(request.body, textHeaders(request));
    const times = seen.map(({ headers }) => headers['webhook-timestamp']);
    assert.equal(new Set(times).size, 2);
    assert.equal(new Set(seen.map(({ headers }) => headers['webhook-id'])).size, 1);
  });

  it('waits as long as Retry-After says, but not for hours', async () => {
    statuses = [429];
    retryAfter = '1';
    const before = performance.now();
    assert.equal(await new AlertWebhook({ url, retryDelayMs: 1 }).send(alert), true);
    assert.ok(performance.now() - before > 950);
  });

  it('says what should be sent again', async () => {
    statuses = [400, 503, 503];
    const webhook = new AlertWebhook({ url, retryDelayMs: 1, maxAttempts: 2 });
    assert.equal(await webhook.send(alert), true);
    assert.equal(await webhook.send(alert), false);
    await webhook.close();
    assert.equal(await webhook.send(alert), false);
    assert.equal(seen.length, 3);
  });

  it('retries what may pass, in order and with the same id', async () => {
    statuses = [503, 429, 200];
    const webhook = new AlertWebhook({ url, retryDelayMs: 5 });
    void webhook.send(alert);
    void webhook.send({ ...alert, id: 'second' });
    await webhook.flush();
    assert.equal(new Set(seen.slice(0, 3).map(({ headers }) => headers['webhook-id'])).size, 1);
    assert.equal(seen[3]?.headers['webhook-id'], 'second');
    assert.equal(webhook.status().delivered, 2);
  });

  it('gives up and counts: refused, redirected, hanging', async () => {
    statuses = [400, 302, 0, 0];
    const webhook = new AlertWebhook({ url, retryDelayMs: 1, maxAttempts: 2, timeoutMs: 100 });
    for (let i = 0; i < 3; i++) void webhook.send(alert);
    await webhook.flush();
    assert.deepEqual(webhook.status().dropped, { queue_full: 0, refused: 2, failed: 1 });
    assert.equal(seen.length, 4);
  });

  it('does not wait longer than it may for a Retry-After', async () => {
    const now = performance.now.bind(performance);
    const began = now();
    let passedMs = 0;
    performance.now = () => now() + passedMs;
    try {
      const webhook = new AlertWebhook({
        url,
        async fetch() {
          passedMs += 50_000;
          return new Response(null, { status: 429, headers: { 'retry-after': '55' } });
        },
      });
      assert.equal(await webhook.send(alert), false);
      assert.equal(passedMs, 50_000);
      assert.ok(now() - began < 10_000);
    } finally {
      Reflect.deleteProperty(performance, 'now');
    }
  });

  it('sends an alert that is queued in the very turn in which the one before it ends', async () => {
    for (let ticks = 1; ticks < 40; ticks++) {
      const later: Promise<boolean>[] = [];
      const sendLater = async (): Promise<boolean> => {
        for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
        return await webhook.send({ ...alert, id: 'second' });
      };
      const webhook = new AlertWebhook({
        url,
        async fetch() {
          if (later.length === 0) later.push(sendLater());
          return new Response(null, { status: 204 });
        },
      });
      await webhook.send(alert);
      await until(() => webhook.status().delivered === 2);
      assert.deepEqual(await Promise.all(later), [true]);
    }
  });

  it('quotes no part of its address, however the receiver writes it', async () => {
    const secret = 'T0/B0/path-of-secret';
    for (const [search, answer] of [
      ['?x=1', `Cannot POST /services/${secret}`],
      ['', `The route services/${secret} could not be found.`],
      ['', String.raw`{"path":"\/services\/T0\/B0\/path-of-secret"}`],
      ['?v=1&sig=sig-of-secret', '/services?v=1&amp;sig=sig-of-secret'],
      ['?v=1&sig=sig-of-secret', 'wrong signature sig-of-secret'],
      ['', 'wrong token path-of-secret'],
    ]) {
      const webhook = new AlertWebhook({
        url: `${new URL(url).origin}/services/${secret}${search}`,
        fetch: async () => new Response(answer, { status: 404 }),
      });
      const made = await webhook.test(alert);
      assert.equal(made.result, 'refused');
      assert.doesNotMatch(made.answer ?? '', /of-secret/);
    }
  });

  it('bounds its queue and ends at once on close', async () => {
    statuses = [0];
    const webhook = new AlertWebhook({ url, maxQueued: 2 });
    for (let i = 0; i < 5; i++) void webhook.send(alert);
    assert.equal(webhook.status().queued, 2);
    assert.equal(webhook.status().dropped.queue_full, 2);
    await until(() => seen.length === 1);
    await webhook.close();
    assert.equal(webhook.status().delivered, 0);
  });
});
