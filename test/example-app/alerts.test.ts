import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { startAlerts } from '../../example-app/alerts.ts';
import { healthOf } from '../../example-app/routes/dashboard-health.ts';
import { SqliteUsageProcessor } from '../../exporter/sqlite/write/sqlite-usage-processor.ts';
import { SqliteUsageReader } from '../../exporter/sqlite/read/sqlite-usage-reader.ts';
import { until } from '../support/until.ts';
import { logOf, usageRecord } from '../support/usage-logs.ts';

interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('alerts of the application', () => {
  let folder: string;
  let stateFile: string;
  let processor: SqliteUsageProcessor;
  let reader: SqliteUsageReader;
  const lines: string[] = [];
  const note = (line: string): number => lines.push(line);
  const rest = { intervalMs: 60_000, language: 'en', pagerdutyUrl: 'http://unused.test' } as const;
  const redis = { url: '', keyPrefix: '', pollIntervalMs: 1 };
  const settings = { store: 'file', redis } as const;
  const log = { info: note, warn: note, error: note };
  const rules = (content: unknown): string => {
    const file = join(folder, 'alerts.json');
    writeFileSync(file, JSON.stringify(content));
    return file;
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-app-alerts-'));
    stateFile = join(folder, 'alert-states.json');
    const path = join(folder, 'usage.db');
    processor = new SqliteUsageProcessor({ path });
    reader = new SqliteUsageReader({ path });
    const call = {
      totalTokens: 900,
      inputTokens: 900,
      outputTokens: 0,
      tokenSource: 'provider' as const,
    };
    for (const userId of ['alice\nroot', 'alice\nroot', 'bob']) {
      processor.onEmit(logOf(usageRecord(Date.now() - 5000, { userId, ...call })));
    }
    await processor.forceFlush();
  });
  beforeEach(() => lines.splice(0));
  after(async () => {
    await reader.close();
    await processor.shutdown();
    rmSync(folder, { recursive: true, force: true });
  });

  it('report a crossed threshold to the log, the webhook and the dashboard, and once', async () => {
    const deliveries: Delivery[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        deliveries.push({ headers: request.headers, body });
        // The first attempt fails: it is tried again.
        response.statusCode = deliveries.length === 1 ? 503 : 204;
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const file = rules({
      rules: [
        { name: 'hour', metric: 'totalTokens', by: 'user', windowMs: 3_600_000, warning: 1500 },
      ],
    });
    const alerts = await startAlerts({
      config: {
        file,
        ...rest,
        webhookUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`,
        webhookSecret: 'a shared secret',
        stateFile,
      },
      settings,
      reader,
      isRecording: () => true,
      log,
    });
    await until(() => deliveries.length === 2);
    assert.deepEqual(lines, [
      'Warning: hour (user “alice\uFFFDroot”): Tokens of user “alice\uFFFDroot” in the last hour: 1,800 tokens. The threshold is 1,500 tokens.',
    ]);
    const [first, second] = deliveries as [Delivery, Delivery];
    assert.equal(first.body, second.body);
    assert.equal(first.headers['webhook-id'], second.headers['webhook-id']);
    const id = String(second.headers['webhook-id']);
    assert.match(id, /^alert_[\w-]{22}$/);
    new Webhook('a shared secret', { format: 'raw' }).verify(
      second.body,
      second.headers as Record<string, string>,
    );
    const health = healthOf({ alerts: () => alerts?.status().active ?? [] });
    assert.deepEqual(
      health.alerts.map(({ rule, level, key, value }) => ({ rule, level, key, value })),
      [{ rule: 'hour', level: 'warning', key: 'alice\nroot', value: 1800 }],
    );
    await until(() => !readFileSync(stateFile, 'utf8').includes('owed'));
    await alerts?.close();
    const again = await startAlerts({
      config: { ...rest, file, stateFile },
      settings,
      reader,
      isRecording: () => true,
      log,
    });
    await until(() => again?.status().active.length === 1);
    await again?.close();
    assert.equal(lines.length, 1);
    receiver.close();
  });

  it('leave the application without alerts, and log it, when their file is wrong', async () => {
    const wrong = { ...rest, file: rules({ rules: [{ name: 'x' }] }), stateFile };
    const start = { settings, reader, isRecording: () => true, log };
    assert.equal(await startAlerts({ ...start, config: wrong }), undefined);
    assert.match(lines[0] ?? '', /^alerts are off: .*metric must be/);
    assert.equal(await startAlerts({ ...start, config: { ...rest, stateFile } }), undefined);
    assert.equal(lines.length, 1);
  });
});
