import assert from 'node:assert/strict';
import { diag } from '@opentelemetry/api';
import { createLogger, logDiagnostics } from '../../example-app/logger.ts';

describe('the log of the application', () => {
  afterEach(() => diag.disable());

  function logged(
    env: Record<string, string>,
    log: (logger: ReturnType<typeof createLogger>) => void,
  ) {
    const lines: string[] = [];
    log(createLogger({ env, write: (line) => void lines.push(line) }));
    return lines;
  }

  it('is JSON, from the level on that was asked for', () => {
    const lines = logged({ LOG_LEVEL: 'warn' }, (logger) => {
      logger.info('quiet');
      logger.warn({ part: 'x' }, 'loud');
    });
    assert.equal(lines.length, 1);
    const { level, msg, part } = JSON.parse(lines[0] as string) as Record<string, unknown>;
    assert.deepEqual([level, msg, part], [40, 'loud', 'x']);
  });

  it('is for people with LOG_FORMAT=pretty, and names a level that does not exist', () => {
    const env = { LOG_LEVEL: 'loud', LOG_FORMAT: 'pretty', NO_COLOR: '1' };
    const lines = logged(env, (logger) => logger.info('hello'));
    assert.match(lines[0] ?? '', /WARN: LOG_LEVEL is "loud"; allowed: silent, fatal/);
    assert.match(lines[1] ?? '', /INFO: hello/);
  });

  it('gets what OpenTelemetry has to say', () => {
    const lines = logged({}, (logger) => {
      logDiagnostics(logger);
      diag.warn('otel-token-meter: something', new Error('gone'));
      diag.debug('much');
    });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /otel-token-meter: something Error: gone/);
  });

  it('has each kind of failure of OpenTelemetry once a minute', () => {
    let time = 0;
    const lines = logged({}, (logger) => {
      logDiagnostics(logger, () => time);
      const failure = 'token-meter usage: InfluxDB at http://127.0.0.1:8086 does not answer';
      diag.warn(`${failure} (3 records wait)`);
      diag.warn(`${failure} (4 records wait)`);
      diag.error('another');
      time = 60_001;
      diag.warn(failure);
    });
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    assert.equal(messages.length, 3);
    assert.match(messages[0] ?? '', /3 records/);
    assert.equal(messages[1], 'another');
  });

  it('shows what is no secret, though its variable begins with the name of the product', () => {
    const env = {
      TOKEN_METER_SQLITE_PATH: '/var/lib/usage.db',
      TOKEN_METER_OIDC_ISSUER: 'https://login.example.com',
      TOKEN_METER_OIDC_CLIENT_SECRET: 'client-canary',
      TOKEN_METER_INFLUX_KEY_PASSPHRASE: 'passphrase-canary',
    };
    const [line = ''] = logged(env, (logger) => logger.warn(Object.values(env).join(' ')));
    assert.match(
      line,
      /"\/var\/lib\/usage\.db https:\/\/login\.example\.com \[secret\] \[secret\]"/,
    );
  });

  it('shows no secret, in whichever line and field it comes', () => {
    const env = {
      TOKEN_METER_ADMIN_TOKEN: 'ada:admin-token-1,bob:admin-token-2',
      TOKEN_METER_ALERT_WEBHOOK_URL: 'https://hooks.example.com/services/T000/B000/XXXX',
      INFLUX_TOKEN: 'influx-token',
      OPENAI_API_KEY: 'sk-canary-key',
      REDIS_URL: 'redis://app:p%40ssword@redis:6379',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20otlp-canary,x-key=other-canary',
    };
    const all = Object.values(env).join(' ');
    const lines = logged(env, (logger) => {
      logDiagnostics(logger);
      logger.error(
        { err: new Error(`failed: ${all}`), authorization: 'Bearer x', nested: { deep: all } },
        all,
      );
      diag.error('admin-token-2 and p@ssword', { url: env.REDIS_URL });
    });
    assert.equal(lines.length, 2);
    assert.doesNotMatch(
      lines.join(''),
      /admin-token|hooks\.example|influx-token|canary|p%40ssword|p@ssword|Bearer x/,
    );
  });
});
