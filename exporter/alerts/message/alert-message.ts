import type { UsageAlert } from '../usage-alert.ts';
import { alertLink } from './alert-link.ts';
import { MessageFormats } from './message-formats.ts';
import { type AlertLanguage, fill, messageTexts } from './message-texts.ts';

/** Of the channels that people read. */
export interface AlertMessageOptions {
  /** @default 'en' */
  readonly language?: AlertLanguage;
  /** Address of the console, for a link to the view of the alert. @default no link */
  readonly publicUrl?: string;
}

/** An alert in words. Names are without control characters, and not escaped for any format. */
export interface AlertMessage {
  readonly title: string;
  readonly text: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly link?: { readonly url: string; readonly label: string };
}

/** Rule name of the sample that a test of a channel sends. */
export const TEST_RULE = 'test';

export function alertMessage(
  alert: UsageAlert,
  { language = 'en', publicUrl }: AlertMessageOptions = {},
): AlertMessage {
  const texts = messageTexts[language];
  const formats = new MessageFormats(texts, alert);
  const { level, repeat } = alert;
  const rule = formats.name(alert.rule);
  const key = formats.key();
  const level_ = texts.level[level];
  const plain =
    key === undefined
      ? fill(texts.title, { level: level_, rule })
      : fill(texts.titleOfKey, { level: level_, rule, key });
  const title =
    repeat === undefined ? plain : fill(texts.repeat, { title: plain, n: String(repeat) });
  const { facts: labels } = texts;
  const { value, threshold, usual, used, low, high } = alert;
  const fact = (label: keyof typeof labels, shown: string | undefined) =>
    shown === undefined ? [] : [{ label: labels[label], value: shown }];
  return {
    title,
    text: textOf(alert, formats),
    facts: [
      ...fact('rule', rule),
      ...fact('level', level_),
      ...fact('value', value === undefined ? undefined : formats.value()),
      ...fact('threshold', threshold === undefined ? undefined : formats.amount(threshold)),
      ...fact('usual', usual === undefined ? undefined : formats.amount(usual)),
      ...fact('used', used === undefined ? undefined : formats.amount(used)),
      ...fact(
        'range',
        low === undefined || high === undefined
          ? undefined
          : `${formats.amount(low)} – ${formats.amount(high)}`,
      ),
      ...fact('period', periodOf(alert, formats)),
      ...fact('time', formats.time(alert.time)),
    ],
    ...(publicUrl !== undefined && {
      link: { url: alertLink(publicUrl, alert), label: texts.open },
    }),
  };
}

function textOf(alert: UsageAlert, formats: MessageFormats): string {
  const { texts } = formats;
  if (alert.rule === TEST_RULE && alert.incident === TEST_RULE) return texts.test;
  const { kind, level, threshold = 0, usual = 0, used = 0, low = 0, high = 0, limit = 0 } = alert;
  const values = {
    subject: formats.subject(),
    period: formats.period(),
    month: formats.month(),
    value: formats.value(),
    threshold: formats.amount(threshold),
    usual: formats.amount(usual),
    used: formats.amount(used),
    low: formats.amount(low),
    high: formats.amount(high),
    limit: formats.amount(limit),
    share: formats.share(limit === 0 ? 1 : threshold / limit),
    end: formats.time(alert.to),
  };
  if (alert.noData) return fill(texts.noData, values);
  if (level === 'ok') return fill(backOf(kind, texts), values);
  return fill(texts[kind], values);
}

function backOf(kind: UsageAlert['kind'], texts: MessageFormats['texts']): string {
  if (kind === 'forecast') return texts.backOfForecast;
  return kind === 'budget' ? texts.backOfBudget : texts.back;
}

function periodOf({ kind, to }: UsageAlert, formats: MessageFormats): string {
  if (kind === 'forecast') return formats.month();
  return kind === 'budget' ? `– ${formats.time(to)}` : formats.duration();
}
