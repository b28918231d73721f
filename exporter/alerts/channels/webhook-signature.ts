import { createHmac } from 'node:crypto';
import { TokenMeterError } from '../../../src/errors.ts';

const PREFIX = 'whsec_';

/** The key of a secret: `whsec_` + base64 as in Standard Webhooks, or any other text as it is. */
export function signingKey(secret: string): Buffer {
  const isEncoded = secret.startsWith(PREFIX);
  const base64 = secret.slice(PREFIX.length);
  const key = isEncoded ? Buffer.from(base64, 'base64') : Buffer.from(secret);
  const isWhole = !isEncoded || /^[A-Za-z0-9+/]+={0,2}$/.test(base64);
  if (key.length > 0 && isWhole) return key;
  throw new TokenMeterError('INVALID_OPTION', 'alert webhook: secret cannot be used', {
    allowed: 'a non-empty text, or whsec_ and base64',
  });
}

/**
 * `webhook-id`, `webhook-timestamp` and `webhook-signature` (`v1,` + base64 HMAC-SHA-256 of
 * `id.timestamp.body`), https://github.com/standard-webhooks/standard-webhooks (version 1.0.0): a
 * receiver checks origin and age, and drops repeats by the id.
 */
export function webhookHeaders(
  id: string,
  body: string,
  key: Buffer | undefined,
  nowMs: number,
): Record<string, string> {
  const timestamp = `${Math.floor(nowMs / 1000)}`;
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
  };
  if (key === undefined) return headers;
  const digest = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${digest}` };
}
