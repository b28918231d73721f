import type { UsageAlert } from '../usage-alert.ts';
import { fill, type MessageTexts } from './message-texts.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NAME_LENGTH = 120;

/** The parts of one alert as people read them, in one language. */
export class MessageFormats {
  readonly texts: MessageTexts;
  readonly #alert: UsageAlert;

  constructor(texts: MessageTexts, alert: UsageAlert) {
    this.texts = texts;
    this.#alert = alert;
  }

  /** Names come from callers: no line breaks, no invisible characters, a bounded length. */
  name(text: string): string {
    const shown = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD').toWellFormed();
    const isLong = shown.length > NAME_LENGTH;
    return isLong ? `${shown.slice(0, NAME_LENGTH - 1).toWellFormed()}…` : shown;
  }

  /** Undefined for a rule on all calls. */
  key(): string | undefined {
    const { by, key, noData } = this.#alert;
    if (by === 'all' || (noData && key === null)) return undefined;
    const { key: named, keyless } = this.texts;
    const text = key === null ? (keyless[by] ?? keyless['other']) : (named[by] ?? named['other']);
    const group = by.replace(/^dimension\./, '');
    return fill(text ?? '', { by: group, key: this.name(key ?? '') });
  }

  /** `Cost of user “ann”`. */
  subject(): string {
    const metric = this.texts.metric[this.#alert.metric];
    const key = this.key();
    return key === undefined
      ? fill(this.texts.subject, { metric })
      : fill(this.texts.subjectOfKey, { metric, key });
  }

  /** The value of the alert with its unit, and whether it is a lower bound. */
  value(): string {
    const { value, atLeast } = this.#alert;
    if (value === undefined) return '–';
    const amount = this.amount(value);
    return atLeast ? fill(this.texts.amount.atLeast, { amount }) : amount;
  }

  amount(value: number): string {
    const { locale, amount } = this.texts;
    const { metric } = this.#alert;
    if (metric === 'costUsd') {
      const digits = value !== 0 && value < 0.01 ? 6 : 2;
      return new Intl.NumberFormat(locale, {
        style: 'currency',
        currency: 'USD',
        minimumFractionDigits: 2,
        maximumFractionDigits: digits,
      }).format(value);
    }
    const n = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(value);
    const shown = fill(metric === 'calls' ? amount.calls : amount.tokens, { n });
    // English: "1 call".
    return value === 1 ? shown.replace(/s$/, '') : shown;
  }

  /** `80%`. */
  share(value: number): string {
    const format = { style: 'percent', maximumFractionDigits: 1 } as const;
    return new Intl.NumberFormat(this.texts.locale, format).format(value);
  }

  /** `last 24 hours`. */
  period(): string {
    // English: "last hour", not "last 1 hour".
    return fill(this.texts.last, { duration: this.duration().replace(/^1 (?=[a-z])/, '') });
  }

  duration(): string {
    const ms = this.#alert.windowMs;
    const [unit, of] =
      ms % DAY_MS === 0 && ms > DAY_MS
        ? (['day', DAY_MS] as const)
        : ms % HOUR_MS === 0
          ? (['hour', HOUR_MS] as const)
          : (['minute', MINUTE_MS] as const);
    const format = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 } as const;
    // Chinese: a space between number and character, as in the console.
    const shown = new Intl.NumberFormat(this.texts.locale, format).format(ms / of);
    return shown.replace(/(\d)(?=\p{Script=Han})/u, '$1 ');
  }

  /** `November 2026`. */
  month(): string {
    const format = { year: 'numeric', month: 'long', timeZone: this.#zone() } as const;
    return new Intl.DateTimeFormat(this.texts.locale, format).format(new Date(this.#alert.from));
  }

  /** `Nov 28, 2026, 09:30 UTC`. */
  time(time: string): string {
    return new Intl.DateTimeFormat(this.texts.locale, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZone: this.#zone(),
      timeZoneName: 'short',
    }).format(new Date(time));
  }

  #zone(): string {
    return this.#alert.timeZone;
  }
}
