import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { AlertPagerDuty } from '../../../../exporter/alerts/channels/pagerduty.ts';
import { AlertSlack } from '../../../../exporter/alerts/channels/slack.ts';
import { AlertTeams } from '../../../../exporter/alerts/channels/teams.ts';
import { alertReceiver, type AlertReceiverServer } from '../../../support/alert-receiver.ts';
import { usageAlert } from '../../../support/usage-alerts.ts';

const hostile = usageAlert({
  rule: 'day <!channel> & *all*',
  key: '<https://evil.example|click> [x](https://evil.example)\n# big @here',
});
const PUBLIC_URL = 'https://meter.example/console';

describe('alerts in chats and on call', () => {
  let receiver: AlertReceiverServer;
  const last = (): Record<string, unknown> =>
    JSON.parse(receiver.received.at(-1)?.body ?? '{}') as Record<string, unknown>;

  beforeEach(async () => (receiver = await alertReceiver()));
  afterEach(() => receiver.close());

  it('are blocks of Slack, of plain text, with a button to the view', async () => {
    const slack = new AlertSlack({ url: receiver.url, publicUrl: PUBLIC_URL });
    assert.equal(await slack.send(usageAlert()), true);
    assert.equal(receiver.received[0]?.headers['content-type'], 'application/json');
    const { text, blocks } = last() as { text: string; blocks: { type: string }[] };
    assert.equal(
      text,
      'Alert: daily budget (user “eve”)\nCost of user “eve” in the last 24 hours: $12.50. The threshold is $10.00.',
    );
    assert.deepEqual(
      blocks.map(({ type }) => type),
      ['header', 'section', 'section', 'actions'],
    );
    const [header, , facts, actions] = blocks as [
      { text: object },
      unknown,
      { fields: { type: string; text: string }[] },
      { elements: { url: string }[] },
    ];
    assert.deepEqual(header.text, {
      type: 'plain_text',
      text: 'Alert: daily budget (user “eve”)',
      emoji: false,
    });
    assert.ok(facts.fields.some((field) => field.text === 'Threshold\n$10.00'));
    const link = new URL(actions.elements[0]?.url ?? '');
    assert.equal(link.origin + link.pathname, 'https://meter.example/console/');
    assert.deepEqual(Object.fromEntries(link.searchParams), {
      from: '2026-11-24T07:00:00.000Z',
      to: '2026-11-25T07:00:00.000Z',
      measure: 'cost_usd',
      user: 'eve',
    });
  });

  it('mention nobody in Slack, link nowhere and stay in its limits, whatever a user is called', async () => {
    const slack = new AlertSlack({ url: receiver.url });
    await slack.send({ ...hostile, rule: `<!channel> ${'x'.repeat(190)}` });
    const { text, blocks } = last() as { text: string; blocks: object[] };
    assert.ok(!/[<>]/.test(text), text);
    const texts = JSON.stringify(blocks).match(/"type":"(plain_text|mrkdwn)"/g) ?? [];
    assert.ok(texts.every((type) => type.includes('plain_text')));
    const header = (blocks[0] as { text: { text: string } }).text.text;
    assert.ok(header.length <= 150, String(header.length));
    assert.ok(!header.includes('\n'));
  });

  it('are an Adaptive Card of Teams without Markdown', async () => {
    const teams = new AlertTeams({ url: receiver.url, publicUrl: PUBLIC_URL, language: 'zh' });
    receiver.answers.push({ status: 202 });
    assert.equal(await teams.send(hostile), true);
    const { type, attachments } = last() as {
      type: string;
      attachments: { contentType: string; content: Record<string, never> }[];
    };
    assert.equal(type, 'message');
    const [{ contentType, content } = { contentType: '', content: {} }] = attachments;
    assert.equal(contentType, 'application/vnd.microsoft.card.adaptive');
    assert.equal(content['type'], 'AdaptiveCard');
    const body = content['body'] as unknown as {
      type: string;
      inlines: { type: string; text: string }[];
    }[];
    // Only a TextRun shows text as it is.
    assert.ok(body.every((line) => line.type === 'RichTextBlock'));
    assert.ok(body.every(({ inlines }) => inlines.every((run) => run.type === 'TextRun')));
    assert.match(
      body[1]?.inlines[0]?.text ?? '',
      /^最近 24 小时，用户“.*”的费用为 US\$12\.50，阈值为 US\$10\.00。$/,
    );
    const actions = content['actions'] as unknown as { type: string; title: string }[];
    assert.deepEqual(
      actions.map(({ type: kind, title }) => [kind, title]),
      [['Action.OpenUrl', '在控制台中查看']],
    );
    assert.ok(Buffer.byteLength(receiver.received[0]?.body ?? '') < 28_000);
  });

  it('open one incident of PagerDuty for a rule and key, and resolve it', async () => {
    const { url } = receiver;
    const pagerDuty = new AlertPagerDuty({ routingKey: 'R0UT1NGKEY', url, publicUrl: PUBLIC_URL });
    receiver.answers.push({ status: 202, body: '{"status":"success"}' });
    await pagerDuty.send(usageAlert({ level: 'warning' }));
    const warning = last();
    await pagerDuty.send(usageAlert({ id: 'two' }));
    const alert = last();
    await pagerDuty.send(usageAlert({ id: 'three', level: 'ok' }));
    const { event_action: end, ...resolve } = last();
    assert.deepEqual(
      [warning['event_action'], alert['event_action'], end],
      ['trigger', 'trigger', 'resolve'],
    );
    assert.equal(warning['dedup_key'], alert['dedup_key']);
    assert.deepEqual(resolve, { routing_key: 'R0UT1NGKEY', dedup_key: 'incident-one' });
    const { payload, links } = alert as {
      payload: Record<string, string>;
      links: { href: string }[];
    };
    assert.equal(payload['severity'], 'critical');
    assert.equal((warning['payload'] as Record<string, string>)['severity'], 'warning');
    assert.equal(payload['timestamp'], '2026-11-25T07:00:00.000Z');
    assert.match(payload['summary'] ?? '', /^Alert: daily budget \(user “eve”\)\. Cost of user/);
    assert.ok((payload['summary'] ?? '').length <= 1024);
    assert.match(links[0]?.href ?? '', /^https:\/\/meter\.example\/console\/\?/);
  });

  it('are retried as long as a receiver is busy, and given up where it refuses', async () => {
    const slack = new AlertSlack({ url: receiver.url, retryDelayMs: 1 });
    receiver.answers.push({ status: 429, headers: { 'retry-after': '0' } }, { status: 503 });
    assert.equal(await slack.send(usageAlert()), true);
    assert.equal(receiver.received.length, 3);
    receiver.answers.push({ status: 410, body: 'channel_is_archived' });
    assert.equal(await slack.send(usageAlert()), true);
    assert.deepEqual(slack.status(), {
      delivered: 1,
      dropped: { queue_full: 0, refused: 1, failed: 0 },
      queued: 0,
    });
  });

  it('quote what a receiver answers to a test, without the secrets', async () => {
    const routingKey = 'R0UT1NGKEY';
    const pagerDuty = new AlertPagerDuty({ routingKey, url: receiver.url });
    receiver.answers.push({
      status: 400,
      body: `{"message":"no such key ${routingKey} at ${new URL(receiver.url).pathname}\u001B[2J"}`,
    });
    assert.deepEqual(await pagerDuty.test(usageAlert()), {
      result: 'refused',
      detail: 'HTTP 400',
      answer: '{"message":"no such key *** at *** [2J"}',
    });
    receiver.close();
    const failed = await pagerDuty.test(usageAlert());
    assert.equal(failed.result, 'retry');
    assert.match(failed.detail, /^ECONNREFUSED$/);
    assert.equal(pagerDuty.status().delivered, 0);
  });

  it('are refused wrong options, which are not shown', () => {
    const wrong: readonly (() => unknown)[] = [
      () => new AlertSlack({ url: 'ftp://hooks.example/secret-path' }),
      () => new AlertTeams({ url: 'https://user:secret-path@hooks.example' }),
      () => new AlertPagerDuty({ routingKey: 'secret-path\n' }),
      () => new AlertPagerDuty({ routingKey: '' }),
      () => new AlertSlack({ url: 'https://hooks.example', maxAttempts: 0 }),
    ];
    for (const make of wrong) {
      assert.throws(make, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'INVALID_OPTION');
        assert.ok(!inspect(error, { depth: 9 }).includes('secret-path'));
        return true;
      });
    }
  });
});
