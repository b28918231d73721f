import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import { pino, type Logger, type LevelWithSilent } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

type Environment = Readonly<Record<string, string | undefined>>;

export interface LoggerOptions {
  readonly env: Environment;
  /** @default stderr: stdout holds what is printed for people */
  readonly write?: (line: string) => void;
}

const LEVELS: readonly LevelWithSilent[] = [
  'silent',
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
];

/** Names of variables whose values are secrets. The prefix `TOKEN_METER_` does not make one. */
const SECRET_NAME =
  /TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_KEY|HASH_KEY|WEBHOOK_URL|_HEADERS$/;
/** A shorter text would be found in innocent lines. */
const SECRET_MIN_LENGTH = 6;

/**
 * The one log of the application: JSON lines, or lines for people on a terminal (`LOG_FORMAT=json` or
 * `pretty`), from `LOG_LEVEL` on. Values of secret variables are replaced in every line, wherever they
 * come from.
 */
export function createLogger({ env, write }: LoggerOptions): Logger {
  const level = levelOf(env);
  const secrets = secretsIn(env);
  const out = write ?? ((line: string): void => void process.stderr.write(line));
  const isPretty =
    env['LOG_FORMAT'] === 'pretty' ||
    (env['LOG_FORMAT'] !== 'json' && write === undefined && process.stderr.isTTY);
  const format = isPretty
    ? pretty.prettyFactory({ colorize: env['NO_COLOR'] === undefined })
    : String;
  const logger = pino(
    { level, base: null, redact: ['*.authorization', '*.cookie', 'authorization', 'cookie'] },
    { write: (line: string): void => out(withoutSecrets(format(line), secrets)) },
  );
  if (env['LOG_LEVEL'] && level !== env['LOG_LEVEL'].trim().toLowerCase()) {
    logger.warn(`LOG_LEVEL is ${JSON.stringify(env['LOG_LEVEL'])}; allowed: ${LEVELS.join(', ')}`);
  }
  return logger;
}

const REPEAT_MS = 60_000;
/** A message names its subject first, and counts and times after it. */
const SAME_START = 60;

/**
 * Passes the lines of OpenTelemetry and the plugin to the same log, each kind of warning and error once
 * a minute: a ledger that cannot be written fails with every batch.
 */
export function logDiagnostics(logger: Logger, now: () => number = () => performance.now()): void {
  const logged = new Map<string, number>();
  const isRepeated = (message: string): boolean => {
    const kind = message.slice(0, SAME_START);
    const last = logged.get(kind);
    if (last !== undefined && now() - last < REPEAT_MS) return true;
    logged.set(kind, now());
    return false;
  };
  const at =
    (level: 'error' | 'warn' | 'info' | 'debug' | 'trace') =>
    (message: string, ...details: unknown[]): void => {
      if ((level === 'error' || level === 'warn') && isRepeated(message)) return;
      logger[level]([message, ...details.map(textOf)].join(' '));
    };
  const target: DiagLogger = {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    verbose: at('trace'),
  };
  // At `info` OpenTelemetry logs what other libraries log at `debug`.
  const isVerbose = logger.isLevelEnabled('debug');
  diag.setLogger(target, {
    logLevel: isVerbose ? DiagLogLevel.ALL : DiagLogLevel.WARN,
    suppressOverrideMessage: true,
  });
}

function levelOf(env: Environment): LevelWithSilent {
  const wanted = env['LOG_LEVEL']?.trim().toLowerCase();
  return LEVELS.find((level) => level === wanted) ?? 'info';
}

/** Longest first, so that no rest of one stays behind where another is its beginning. */
function secretsIn(env: Environment): readonly string[] {
  const found = new Set<string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (SECRET_NAME.test(name.replace(/^TOKEN_METER_/, ''))) {
      found.add(value);
      for (const item of value.split(',')) {
        found.add(item.trim());
        found.add(item.trim().replace(/^[A-Za-z][\w.-]{0,31}[:=]/, ''));
      }
    }
    if (/^[a-z+]+:\/\/[^/@]*@/i.test(value)) {
      const password = /^[a-z+]+:\/\/[^:/@]*:([^/@]+)@/i.exec(value)?.[1];
      if (password !== undefined) found.add(password).add(decoded(password));
    }
  }
  return [...found]
    .filter((secret) => secret.length >= SECRET_MIN_LENGTH)
    .toSorted((a, b) => b.length - a.length);
}

function withoutSecrets(line: string, secrets: readonly string[]): string {
  let shown = line;
  for (const secret of secrets) shown = shown.replaceAll(secret, '[secret]');
  return shown;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function textOf(detail: unknown): string {
  if (detail instanceof Error) return detail.stack ?? detail.message;
  return typeof detail === 'string' ? detail : (JSON.stringify(detail) ?? String(detail));
}
