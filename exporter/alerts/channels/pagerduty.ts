import { alertMessage, type AlertMessageOptions } from '../message/alert-message.ts';
import { sampleAlert } from '../message/sample-alert.ts';
import type { UsageAlert } from '../usage-alert.ts';
import {
  AlertChannel,
  type AlertDeliveryOptions,
  type DeliveryAttempt,
  refuse,
} from './alert-channel.ts';
import { checkAddress, postJson } from './http-post.ts';

export interface AlertPagerDutyOptions extends AlertDeliveryOptions, AlertMessageOptions {
  /** Integration key of a service, for the Events API v2. */
  readonly routingKey: string;
  /**
   * Of the Events API; in the EU service region `https://events.eu.pagerduty.com/v2/enqueue`.
   * @default 'https://events.pagerduty.com/v2/enqueue'
   */
  readonly url?: string;
  /** What PagerDuty shows as the source. @default 'otel-token-meter' */
  readonly source?: string;
  /** @default 'pagerduty' */
  readonly name?: string;
  readonly fetch?: typeof fetch;
}

const EVENTS_URL = 'https://events.pagerduty.com/v2/enqueue';
const SEVERITY = { ok: 'info', warning: 'warning', alert: 'critical' } as const;
/** Characters; more is refused. */
const SUMMARY_LENGTH = 1024;

/** Opens an incident of PagerDuty for each rule and key, and resolves it at level `ok`. */
export class AlertPagerDuty extends AlertChannel {
  /** @throws TokenMeterError `INVALID_OPTION` naming the wrong option. */
  constructor(options: AlertPagerDutyOptions) {
    const { routingKey, url = EVENTS_URL, name = 'pagerduty', fetch: send } = options;
    checkAddress('pagerduty', url);
    if (typeof routingKey !== 'string' || !/^[\x21-\x7e]+$/.test(routingKey)) {
      refuse('pagerduty', 'routingKey', 'an integration key');
    }
    super(name, options, async (alert, signal) => {
      const body = JSON.stringify(pagerDutyEvent(alert, options));
      const secrets = [routingKey];
      return await postJson({ url, body, signal, secrets, ...(send && { fetch: send }) });
    });
  }

  /** The incident that a test opens is resolved at once. */
  override async test(alert: UsageAlert = sampleAlert(Date.now())): Promise<DeliveryAttempt> {
    const made = await super.test(alert);
    if (made.result === 'delivered') await super.test({ ...alert, level: 'ok' });
    return made;
  }
}

function pagerDutyEvent(alert: UsageAlert, options: AlertPagerDutyOptions): object {
  const { routingKey, source = 'otel-token-meter', publicUrl } = options;
  const { title, text, facts, link } = alertMessage(alert, options);
  const identity = { routing_key: routingKey, dedup_key: alert.incident };
  if (alert.level === 'ok') return { ...identity, event_action: 'resolve' };
  return {
    ...identity,
    event_action: 'trigger',
    client: 'otel-token-meter',
    ...(publicUrl !== undefined && { client_url: publicUrl }),
    ...(link && { links: [{ href: link.url, text: link.label }] }),
    payload: {
      summary: `${title}. ${text}`.slice(0, SUMMARY_LENGTH),
      source,
      severity: SEVERITY[alert.level],
      timestamp: alert.time,
      component: alert.by === 'all' ? 'llm' : (alert.key ?? 'llm'),
      class: alert.metric,
      group: alert.rule,
      custom_details: {
        ...Object.fromEntries(facts.map(({ label, value }) => [label, value])),
        alert_id: alert.id,
      },
    },
  };
}
