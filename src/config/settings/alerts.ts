import type { Setting } from '../setting.ts';
import { DAY_S, http, seconds, string } from './kinds.ts';

/** Thresholds on the ledger. */
export const alerts: readonly Setting[] = [
  {
    key: 'alerts.file',
    path: 'alerts.file',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_ALERTS_FILE'],
    description: 'JSON file with alert rules; without it there are no alerts.',
  },
  {
    key: 'alerts.interval',
    path: 'alerts.intervalMs',
    block: 'distribution',
    kind: seconds(1, DAY_S),
    env: ['TOKEN_METER_ALERTS_INTERVAL'],
    default: 60_000,
    description: 'Seconds between two evaluations of the alert rules.',
  },
  {
    key: 'alerts.state_file',
    path: 'alerts.stateFile',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_ALERTS_STATE_FILE'],
    default: '.token-meter/alert-states.json',
    description:
      'JSON file with the state of each alert, so that a restart repeats none. With settings.store redis the states are in Redis, shared by all instances.',
  },
  {
    key: 'alerts.webhook_url',
    path: 'alerts.webhookUrl',
    block: 'distribution',
    kind: http,
    env: ['TOKEN_METER_ALERT_WEBHOOK_URL'],
    // The path of a webhook URL is often its only secret.
    secret: true,
    description: 'Webhook URL that every change of an alert level is posted to.',
  },
  {
    key: 'alerts.webhook_secret',
    path: 'alerts.webhookSecret',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_ALERT_WEBHOOK_SECRET'],
    secret: true,
    description: 'Secret that webhook requests are signed with (Standard Webhooks).',
  },
];
