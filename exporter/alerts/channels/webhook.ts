import { AlertChannel, type AlertDeliveryOptions, refuse } from './alert-channel.ts';
import { checkAddress, postJson } from './http-post.ts';
import { signingKey, webhookHeaders } from './webhook-signature.ts';

export interface AlertWebhookOptions extends AlertDeliveryOptions {
  /** Where alerts are posted. Redirects are not followed. */
  readonly url: string;
  /** Shared secret; `whsec_` + base64 as in Standard Webhooks, or any other text taken as it is. */
  readonly secret?: string;
  /** @default 'webhook' */
  readonly name?: string;
  readonly fetch?: typeof fetch;
}

const HAS_NO_HEADER_TEXT = /[^\x21-\x7e]/;

/** Posts alerts to an HTTP endpoint as Standard Webhooks, signed. */
export class AlertWebhook extends AlertChannel {
  /** @throws TokenMeterError `INVALID_OPTION` naming the wrong option. */
  constructor(options: AlertWebhookOptions) {
    const { url, secret, name = 'webhook', now = Date.now, fetch: send } = options;
    checkAddress('webhook', url);
    if (secret !== undefined && typeof secret !== 'string') refuse('webhook', 'secret', 'a text');
    const key = secret === undefined ? undefined : signingKey(secret);
    super(name, options, async (alert, signal) => {
      const body = JSON.stringify({
        type: 'token_meter.alert',
        timestamp: alert.time,
        data: alert,
      });
      const id = HAS_NO_HEADER_TEXT.test(alert.id) ? encodeURIComponent(alert.id) : alert.id;
      const headers = webhookHeaders(id, body, key, now());
      return await postJson({
        url,
        body,
        headers,
        signal,
        ...(secret !== undefined && { secrets: [secret] }),
        ...(send && { fetch: send }),
      });
    });
  }
}
