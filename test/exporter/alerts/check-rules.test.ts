import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { checkAlertRules } from '../../../exporter/alerts/check-rules.ts';
import { AlertWebhook } from '../../../exporter/alerts/channels/webhook.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import { FileAlertStates } from '../../../exporter/alerts/state-file.ts';
import { TokenMeterError } from '../../../src/errors.ts';
import { alertLedger } from '../../support/alert-ledger.ts';

const HOUR = 3_600_000;
const rule = { name: 'burn', metric: 'totalTokens', by: 'user', windowMs: HOUR, alert: 200 };

describe('checkAlertRules', () => {
  it('passes every member that a rule has', () => {
    const whole = {
      ...rule,
      warning: 100,
      forMs: 60_000,
      hysteresis: 0.1,
      whenNoData: 'warning',
      filter: {
        user: [null, 'ann'],
        model: 'gpt-4o',
        conversation: null,
        provider: ['openai'],
        outcome: ['ok', 'error'],
        service: 'chat',
      },
    };
    const kinds = [
      { ...whole, kind: 'threshold', repeatMs: 600_000, timeZone: 'Asia/Kolkata' },
      { name: 'month', kind: 'forecast', metric: 'costUsd', by: 'model', warning: 5 },
      { name: 'hour', kind: 'spike', metric: 'calls', minimum: 5, windowMs: 600_000, alert: 3 },
    ];
    assert.deepEqual(checkAlertRules([whole]), [whole]);
    assert.deepEqual(checkAlertRules(kinds), kinds);
  });

  const wrong: readonly [key: string, change: object][] = [
    ['name', { name: '' }],
    ['name', { name: 5 }],
    ['name', { name: 'x'.repeat(201) }],
    ['metric', { metric: 'euros' }],
    ['metric', { metric: ['calls'] }],
    ['by', { by: 'planet' }],
    ['by', { by: null }],
    ['windowMs', { windowMs: 10 }],
    ['windowMs', { windowMs: '3600000' }],
    ['windowMs', { windowMs: Number.POSITIVE_INFINITY }],
    ['windowMs', { windowMs: 1e15 }],
    ['windowMs', { windowMs: -HOUR }],
    ['windowMs', { windowMs: undefined }],
    ['warning', { warning: Number.NaN }],
    ['warning', { warning: '5' }],
    ['alert', { alert: 0 }],
    ['alert', { warning: 300 }],
    ['alert', { alert: null }],
    ['forMs', { forMs: -1 }],
    ['forMs', { forMs: '1m' }],
    ['hysteresis', { hysteresis: 1 }],
    ['hysteresis', { hysteresis: 10 }],
    ['whenNoData', { whenNoData: 'panic' }],
    ['warning', { alert: undefined }],
    ['kind', { kind: 'guess' }],
    ['repeatMs', { repeatMs: 1000 }],
    ['timeZone', { timeZone: 'Mars/Base' }],
    ['timeZone', { timeZone: 5 }],
    ['minimum', { minimum: 5 }],
    ['windowMs', { kind: 'forecast' }],
    ['whenNoData', { kind: 'spike', minimum: 1, whenNoData: 'alert' }],
    ['minimum', { kind: 'spike' }],
    ['minimum', { kind: 'spike', minimum: 0 }],
    ['windowMs', { kind: 'spike', minimum: 1, windowMs: 60_000 }],
    ['warning', { kind: 'spike', minimum: 1, alert: undefined }],
    ['warnig', { warnig: 1 }],
    ['for', { for: 60 }],
    ['filter', { filter: [] }],
    ['filter', { filter: 'ann' }],
    ['filter', { filter: null }],
    ['filter.usr', { filter: { usr: 'a' } }],
    ['filter.toString', { filter: { toString: 'a' } }],
    ['filter.user', { filter: { user: 5 } }],
    ['filter.user', { filter: { user: [] } }],
    ['filter.user', { filter: { user: ['a', 5] } }],
    ['filter.model', { filter: { model: null } }],
    ['filter.outcome', { filter: { outcome: 'failed' } }],
  ];
  for (const [key, change] of wrong) {
    it(`refuses ${JSON.stringify(change)}, naming ${key}`, () => {
      assert.throws(
        () => checkAlertRules([rule, { ...rule, name: 'other', ...change }]),
        (error: TokenMeterError) => {
          assert.ok(error instanceof TokenMeterError);
          assert.equal(error.code, 'INVALID_OPTION');
          assert.ok(error.message.startsWith(`alerts: rules[1].${key} `), error.message);
          assert.ok(error.allowed);
          return true;
        },
      );
    });
  }

  it('refuses what is no list of objects, and two rules of one name', () => {
    for (const value of [undefined, null, {}, 'rules', [null], ['rule'], [[]]]) {
      assert.throws(() => checkAlertRules(value), { code: 'INVALID_OPTION' });
    }
    assert.throws(() => checkAlertRules([rule, rule]), /rules\[1\]\.name must be unique/);
  });

  it('is asked at construction', () => {
    const misspelt = [{ ...rule, filter: { usr: 'a' } }] as never;
    assert.throws(() => new UsageAlerts({ rules: misspelt, reader: alertLedger([]) }), {
      code: 'INVALID_OPTION',
      message: /rules\[0\]\.filter\.usr is unknown; allowed: user, model/,
    });
  });
});

describe('options of alerts', () => {
  const base = { rules: [], reader: alertLedger([]) };
  const wrong: readonly [key: string, options: object][] = [
    ['rules', { rules: undefined }],
    ['reader', { reader: {} }],
    ['reader', { reader: undefined }],
    ['states', { states: {} }],
    ['onAlert', { onAlert: 'https://hook.example' }],
    ['isRecording', { isRecording: true }],
    ['now', { now: 5 }],
    ['intervalMs', { intervalMs: Number.NaN }],
    ['intervalMs', { intervalMs: '60' }],
    ['intervalMs', { intervalMs: 1e12 }],
  ];
  for (const [key, options] of wrong) {
    it(`are refused: ${JSON.stringify(options)}`, () => {
      assert.throws(() => new UsageAlerts({ ...base, ...options } as never), {
        code: 'INVALID_OPTION',
        message: new RegExp(`^alerts: ${key} must be `),
      });
    });
  }

  const url = 'https://hook.example/secret-path';
  const wrongHook: readonly [key: string, options: object][] = [
    ['url', { url: 'file:///etc/passwd' }],
    ['url', { url: undefined }],
    ['url', { url: 'https://user:secret-path@hook.example' }],
    ['secret', { url, secret: '' }],
    ['secret', { url, secret: 'whsec_' }],
    ['secret', { url, secret: 'whsec_not*base64' }],
    ['secret', { url, secret: 5 }],
    ['maxAttempts', { url, maxAttempts: 0 }],
    ['timeoutMs', { url, timeoutMs: Number.NaN }],
    ['retryDelayMs', { url, retryDelayMs: '1s' }],
    ['maxQueued', { url, maxQueued: 1.5 }],
  ];
  for (const [key, options] of wrongHook) {
    it(`of a webhook are refused: ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => new AlertWebhook(options as never),
        (error: TokenMeterError) => {
          assert.equal(error.code, 'INVALID_OPTION');
          assert.match(error.message, new RegExp(`^alert webhook: ${key} `));
          assert.ok(!error.message.includes('secret-path'));
          return true;
        },
      );
    });
  }

  it('of a state file are refused', () => {
    assert.throws(() => new FileAlertStates({ path: '' }), { code: 'INVALID_OPTION' });
  });
});

describe('the rules of the documentation', () => {
  it('list every member', () => {
    const page = readFileSync(new URL('../../../docs/alerts.md', import.meta.url), 'utf8');
    for (const member of [
      'name',
      'metric',
      'by',
      'filter',
      'windowMs',
      'warning',
      'alert',
      'forMs',
      'hysteresis',
      'whenNoData',
    ]) {
      assert.match(page, new RegExp(`\\| (?:\`\\w+\`, )?\`${member}\``), member);
    }
  });
});
