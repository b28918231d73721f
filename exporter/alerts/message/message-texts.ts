/** Languages of messages. */
export type AlertLanguage = 'en' | 'zh';

/**
 * Words and sentences of messages. `{value}` and the like are filled in; numbers come with their
 * unit, names in quotation marks.
 */
export interface MessageTexts {
  readonly locale: string;
  readonly level: Readonly<Record<'ok' | 'warning' | 'alert', string>>;
  readonly metric: Readonly<
    Record<'costUsd' | 'totalTokens' | 'inputTokens' | 'outputTokens' | 'calls', string>
  >;
  readonly key: Readonly<Record<string, string>>;
  /** Calls without a value of the key. */
  readonly keyless: Readonly<Record<string, string>>;
  readonly amount: Readonly<Record<'tokens' | 'calls' | 'atLeast', string>>;
  readonly title: string;
  readonly titleOfKey: string;
  readonly repeat: string;
  readonly last: string;
  readonly subject: string;
  readonly subjectOfKey: string;
  readonly threshold: string;
  readonly forecast: string;
  readonly spike: string;
  readonly budget: string;
  readonly backOfBudget: string;
  readonly back: string;
  readonly backOfForecast: string;
  readonly noData: string;
  readonly test: string;
  readonly facts: Readonly<
    Record<
      'rule' | 'level' | 'value' | 'threshold' | 'usual' | 'used' | 'range' | 'period' | 'time',
      string
    >
  >;
  readonly open: string;
}

const en: MessageTexts = {
  locale: 'en-US',
  level: { ok: 'Resolved', warning: 'Warning', alert: 'Alert' },
  metric: {
    costUsd: 'Cost',
    totalTokens: 'Tokens',
    inputTokens: 'Input tokens',
    outputTokens: 'Output tokens',
    calls: 'Calls',
  },
  key: {
    user: 'user “{key}”',
    model: 'model “{key}”',
    team: 'team “{key}”',
    other: '{by} “{key}”',
  },
  keyless: {
    user: 'calls without a user',
    team: 'calls without a team',
    other: 'calls without {by}',
  },
  amount: { tokens: '{n} tokens', calls: '{n} calls', atLeast: 'at least {amount}' },
  title: '{level}: {rule}',
  titleOfKey: '{level}: {rule} ({key})',
  repeat: '{title} (still, reminder {n})',
  last: 'last {duration}',
  subject: '{metric}',
  subjectOfKey: '{metric} of {key}',
  threshold: '{subject} in the {period}: {value}. The threshold is {threshold}.',
  forecast:
    '{subject} at the end of {month} is projected to be {value} (80 % range: {low} to {high}). The threshold is {threshold}. So far: {used}.',
  spike:
    '{subject} in the {period}: {value}. Usual at this time of the week: {usual}. The threshold is {threshold}.',
  budget: '{subject}: {value} of {limit} used, which is {share} or more. The window ends on {end}.',
  backOfBudget: '{subject}: the window of the budget is over.',
  back: '{subject} in the {period}: {value}. The alert is over.',
  backOfForecast: '{subject} at the end of {month} is projected to be {value}. The alert is over.',
  noData: 'No calls were recorded in the {period}.',
  test: 'This is a test of the alert channel. Nothing has happened.',
  facts: {
    rule: 'Rule',
    level: 'Level',
    value: 'Value',
    threshold: 'Threshold',
    usual: 'Usual',
    used: 'So far',
    range: '80 % range',
    period: 'Period',
    time: 'Time',
  },
  open: 'Open in the console',
};

const zh: MessageTexts = {
  locale: 'zh-CN',
  level: { ok: '已恢复', warning: '警告', alert: '告警' },
  metric: {
    costUsd: '费用',
    totalTokens: 'Token 用量',
    inputTokens: '输入 Token 用量',
    outputTokens: '输出 Token 用量',
    calls: '调用次数',
  },
  key: { user: '用户“{key}”', model: '模型“{key}”', team: '团队“{key}”', other: '{by}“{key}”' },
  keyless: { user: '无用户的调用', team: '无团队的调用', other: '无 {by} 的调用' },
  amount: { tokens: '{n} 个 Token', calls: '{n} 次', atLeast: '至少 {amount}' },
  title: '{level}：{rule}',
  titleOfKey: '{level}：{rule}（{key}）',
  repeat: '{title}（仍未恢复，第 {n} 次提醒）',
  last: '最近 {duration}',
  subject: '{metric}',
  subjectOfKey: '{key}的{metric}',
  threshold: '{period}，{subject}为 {value}，阈值为 {threshold}。',
  forecast:
    '预计到 {month}底，{subject}为 {value}（80% 区间：{low} 至 {high}），阈值为 {threshold}。目前为 {used}。',
  spike: '{period}，{subject}为 {value}，往周同一时段通常为 {usual}，阈值为 {threshold}。',
  budget: '{subject}：已使用 {value}，限额为 {limit}，已达到 {share}。预算窗口于 {end} 结束。',
  backOfBudget: '{subject}：预算窗口已结束。',
  back: '{period}，{subject}为 {value}，告警已解除。',
  backOfForecast: '预计到 {month}底，{subject}为 {value}，告警已解除。',
  noData: '{period}没有记录到任何调用。',
  test: '这是一条告警渠道的测试消息，没有发生任何告警。',
  facts: {
    rule: '规则',
    level: '级别',
    value: '当前值',
    threshold: '阈值',
    usual: '通常值',
    used: '目前',
    range: '80% 区间',
    period: '时段',
    time: '时间',
  },
  open: '在控制台中查看',
};

export const messageTexts: Readonly<Record<AlertLanguage, MessageTexts>> = { en, zh };

/** No space between two Chinese characters, where a value begins or ends with one. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text
    .replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
    .replaceAll(/(?<=\p{Script=Han}) (?=\p{Script=Han})/gu, '');
}
