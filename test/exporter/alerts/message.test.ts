import assert from 'node:assert/strict';
import { alertMessage } from '../../../exporter/alerts/message/alert-message.ts';
import { messageTexts } from '../../../exporter/alerts/message/message-texts.ts';
import type { UsageAlert } from '../../../exporter/alerts/usage-alert.ts';
import { usageAlert } from '../../support/usage-alerts.ts';

const forecast: Partial<UsageAlert> = {
  kind: 'forecast',
  by: 'all',
  key: null,
  value: 1234.5,
  used: 640,
  low: 1100,
  high: 1400,
  threshold: 1000,
  from: '2026-10-31T16:00:00.000Z',
  to: '2026-11-30T16:00:00.000Z',
  timeZone: 'Asia/Shanghai',
};
const HOUR = { from: '2026-11-25T06:00:00.000Z', windowMs: 3_600_000 };

describe('messages of alerts', () => {
  const cases: readonly [Partial<UsageAlert>, en: string, zh: string][] = [
    [
      {},
      'Cost of user “eve” in the last 24 hours: $12.50. The threshold is $10.00.',
      '最近 24 小时，用户“eve”的费用为 US$12.50，阈值为 US$10.00。',
    ],
    [
      { metric: 'totalTokens', by: 'all', key: null, value: 1_234_567, threshold: 1e6, ...HOUR },
      'Tokens in the last hour: 1,234,567 tokens. The threshold is 1,000,000 tokens.',
      '最近 1 小时，Token 用量为 1,234,567 个 Token，阈值为 1,000,000 个 Token。',
    ],
    [
      { metric: 'calls', by: 'all', key: null, value: 1, threshold: 1 },
      'Calls in the last 24 hours: 1 call. The threshold is 1 call.',
      '最近 24 小时，调用次数为 1 次，阈值为 1 次。',
    ],
    [
      { by: 'user', key: null, atLeast: true },
      'Cost of calls without a user in the last 24 hours: at least $12.50. The threshold is $10.00.',
      '最近 24 小时，无用户的调用的费用为至少 US$12.50，阈值为 US$10.00。',
    ],
    [
      { level: 'ok', value: 0.004 },
      'Cost of user “eve” in the last 24 hours: $0.004. The alert is over.',
      '最近 24 小时，用户“eve”的费用为 US$0.004，告警已解除。',
    ],
    [
      { noData: true, key: null, by: 'all', windowMs: 900_000 },
      'No calls were recorded in the last 15 minutes.',
      '最近 15 分钟没有记录到任何调用。',
    ],
    [
      forecast,
      'Cost at the end of November 2026 is projected to be $1,234.50 (80 % range: $1,100.00 to $1,400.00). The threshold is $1,000.00. So far: $640.00.',
      '预计到 2026年11月底，费用为 US$1,234.50（80% 区间：US$1,100.00 至 US$1,400.00），阈值为 US$1,000.00。目前为 US$640.00。',
    ],
    [
      { ...forecast, level: 'ok', value: 900 },
      'Cost at the end of November 2026 is projected to be $900.00. The alert is over.',
      '预计到 2026年11月底，费用为 US$900.00，告警已解除。',
    ],
    [
      {
        kind: 'spike',
        by: 'model',
        key: 'gpt-4o',
        metric: 'calls',
        value: 90,
        usual: 20,
        threshold: 60,
        ...HOUR,
      },
      'Calls of model “gpt-4o” in the last hour: 90 calls. Usual at this time of the week: 20 calls. The threshold is 60 calls.',
      '最近 1 小时，模型“gpt-4o”的调用次数为 90 次，往周同一时段通常为 20 次，阈值为 60 次。',
    ],
    [
      {
        kind: 'budget',
        rule: 'budget search',
        by: 'team',
        key: 'search',
        value: 82,
        limit: 100,
        threshold: 80,
        to: '2026-12-01T00:00:00.000Z',
      },
      'Cost of team “search”: $82.00 of $100.00 used, which is 80% or more. The window ends on Dec 1, 2026, 00:00 UTC.',
      '团队“search”的费用：已使用 US$82.00，限额为 US$100.00，已达到 80%。预算窗口于 2026年12月1日 UTC 00:00 结束。',
    ],
  ];
  for (const [over, en, zh] of cases) {
    it(en, () => {
      const alert = usageAlert(over);
      assert.equal(alertMessage(alert).text, en);
      assert.equal(alertMessage(alert, { language: 'zh' }).text, zh);
    });
  }

  it('have a title, facts with units and the period, and the time in the zone of the rule', () => {
    assert.deepEqual(alertMessage(usageAlert({ ...forecast, repeat: 2 })), {
      title: 'Alert: daily budget (still, reminder 2)',
      text: cases[6]?.[1],
      facts: [
        { label: 'Rule', value: 'daily budget' },
        { label: 'Level', value: 'Alert' },
        { label: 'Value', value: '$1,234.50' },
        { label: 'Threshold', value: '$1,000.00' },
        { label: 'So far', value: '$640.00' },
        { label: '80 % range', value: '$1,100.00 – $1,400.00' },
        { label: 'Period', value: 'November 2026' },
        { label: 'Time', value: 'Nov 25, 2026, 15:00 GMT+8' },
      ],
    });
    const chinese = alertMessage(usageAlert({ level: 'warning' }), { language: 'zh' });
    assert.equal(chinese.title, '警告：daily budget（用户“eve”）');
  });

  it('leave no placeholder, and show no invisible or endless name', () => {
    for (const language of ['en', 'zh'] as const) {
      for (const [over] of cases) {
        const { title, text } = alertMessage(usageAlert(over), { language });
        assert.ok(!/[{}]|undefined|NaN/.test(title + text), text);
      }
    }
    const { title } = alertMessage(usageAlert({ key: `a\u202Eb\n${'界'.repeat(500)}` }));
    assert.ok(!/[\p{Cc}\p{Cf}]/u.test(title));
    assert.ok(title.length < 200);
  });

  it('have the same placeholders in both languages', () => {
    const placeholders = (texts: object): string =>
      JSON.stringify(
        Object.entries(texts).map(([name, text]: [string, unknown]) =>
          typeof text === 'string' ? [name, (text.match(/\{\w+\}/g) ?? []).toSorted()] : name,
        ),
      );
    assert.equal(placeholders(messageTexts.en), placeholders(messageTexts.zh));
  });
});
