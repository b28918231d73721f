import { TokenMeterError } from '../../../src/errors.ts';
import {
  alertMessage,
  type AlertMessage,
  type AlertMessageOptions,
} from '../message/alert-message.ts';
import type { UsageAlert } from '../usage-alert.ts';
import {
  AlertChannel,
  type AlertDeliveryOptions,
  type DeliveryAttempt,
  refuse,
} from './alert-channel.ts';
import { quoted } from './http-post.ts';

export interface AlertEmailOptions extends AlertDeliveryOptions, AlertMessageOptions {
  /** `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://…:465`. */
  readonly smtpUrl: string;
  readonly from: string;
  readonly to: readonly string[];
  /** @default 'email' */
  readonly name?: string;
}

/** The part of nodemailer that is used. */
interface MailTransport {
  sendMail(mail: object): Promise<{ readonly response?: string }>;
  close(): void;
}

/** Sends alerts by e-mail. Needs the package `nodemailer`. */
export class AlertEmail extends AlertChannel {
  /** @throws TokenMeterError `INVALID_OPTION` naming the wrong option. */
  constructor(options: AlertEmailOptions) {
    const { smtpUrl, from, to, name = 'email', timeoutMs = 10_000 } = options;
    checkSmtpUrl(smtpUrl);
    if (!isAddress(from)) refuse('email', 'from', 'an e-mail address', from);
    if (!Array.isArray(to) || to.length === 0 || !to.every(isAddress)) {
      refuse('email', 'to', 'a list of e-mail addresses', to);
    }
    super(name, options, async (alert, signal) => {
      const transport = await transportOf(smtpUrl, timeoutMs);
      const end = (): void => transport.close();
      signal.addEventListener('abort', end, { once: true });
      try {
        const mail = {
          from,
          to: [...to],
          // Closes the connection: otherwise one that hangs would outlive the attempt.
          signal,
          ...mailOf(alert, alertMessage(alert, options), from),
        };
        const sent = await endedBy(signal, transport.sendMail(mail));
        return {
          result: 'delivered',
          detail: 'accepted',
          ...answerOf(sent.response, secretsOf(smtpUrl)),
        };
      } catch (error) {
        return attemptOf(error, secretsOf(smtpUrl));
      } finally {
        signal.removeEventListener('abort', end);
        transport.close();
      }
    });
  }
}

async function transportOf(smtpUrl: string, timeoutMs: number): Promise<MailTransport> {
  const { createTransport } = await import('nodemailer').catch((cause: unknown) => {
    throw new TokenMeterError('MISSING_DEPENDENCY', 'alerts by e-mail need nodemailer', {
      allowed: 'npm install nodemailer',
      cause,
    });
  });
  const url = new URL(smtpUrl);
  return createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    ...(url.port !== '' && { port: Number(url.port) }),
    secure: url.protocol === 'smtps:',
    ...(url.username !== '' && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // Texts and recipients are all that a mail has.
    disableFileAccess: true,
    disableUrlAccess: true,
  }) as MailTransport;
}

/** Mails of one incident are a thread; one sent twice has the same id. */
function mailOf(alert: UsageAlert, message: AlertMessage, from: string): object {
  const { title, text, facts, link } = message;
  const domain = /@([\w.-]+)/.exec(from)?.[1] ?? 'localhost';
  const lines = facts.map(({ label, value }) => `${label}: ${value}`);
  return {
    subject: title,
    text: [text, '', ...lines, ...(link ? ['', `${link.label}: ${link.url}`] : []), ''].join('\n'),
    messageId: `<${alert.id}@${domain}>`,
    references: [`<${alert.incident}@${domain}>`],
    headers: { 'auto-submitted': 'auto-generated' },
    ...(alert.level === 'alert' && { priority: 'high' }),
  };
}

/** nodemailer takes no signal. */
async function endedBy<T>(signal: AbortSignal, result: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([result, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    result.catch(() => undefined);
  }
}

/**
 * Replies from 500 on are final, except for the sign-in, which an administrator may still repair. The
 * message of an error is not shown: it may hold the address of the server and the user.
 */
function attemptOf(error: unknown, secrets: readonly string[]): DeliveryAttempt {
  if (error instanceof TokenMeterError) throw error;
  const { code, responseCode, response } = error as {
    readonly code?: string;
    readonly responseCode?: number;
    readonly response?: string;
  };
  if (responseCode === undefined) throw error;
  const isFinal = responseCode >= 500 && code !== 'EAUTH';
  return {
    result: isFinal ? 'refused' : 'retry',
    detail: `SMTP ${responseCode}`,
    ...answerOf(response, secrets),
  };
}

function answerOf(
  response: string | undefined,
  secrets: readonly string[],
): { readonly answer?: string } {
  const text = quoted(response ?? '', secrets);
  return text === '' ? {} : { answer: text };
}

/** A server may quote the sign-in that it refuses, as it came. */
function secretsOf(smtpUrl: string): readonly string[] {
  const url = new URL(smtpUrl);
  if (url.password === '') return [];
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  const base64 = [password, `\0${user}\0${password}`, `${user}\0${user}\0${password}`].map((text) =>
    Buffer.from(text).toString('base64'),
  );
  return [password, ...base64];
}

/** The URL is not shown: it holds the password. */
function checkSmtpUrl(smtpUrl: unknown): void {
  const url = typeof smtpUrl === 'string' && URL.canParse(smtpUrl) ? new URL(smtpUrl) : undefined;
  const isRight = ['smtp:', 'smtps:'].includes(url?.protocol ?? '') && url?.hostname !== '';
  if (!isRight) refuse('email', 'smtpUrl', 'an address such as smtp://user:password@host:587');
}

/** No line breaks: they would add headers. */
function isAddress(text: unknown): text is string {
  return typeof text === 'string' && /^[^\p{Cc}]*[^\s@\p{Cc}]@[^\s@\p{Cc}]+$/u.test(text);
}
