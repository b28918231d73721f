import type { EndedCall } from '../domain/ended-call.ts';
import { warnOnce } from '../host/quietly.ts';
import { billedAttributes } from '../domain/billed-usage.ts';
import { INFERENCE_REGION, regionOfHost } from '../domain/inference-region.ts';
import { ATTR } from '../otel/semconv.ts';
import type { FilledUsage } from './fill-usage.ts';
import type { UsageAttributeValue } from '../domain/usage-record.ts';

type Attributes = Record<string, UsageAttributeValue>;

/** What a record tells beside its fields: tokens by modality, tokens counted, and what the caller added. */
export function recordAttributes(
  { facts, reply, serverAddress, tokenStatistics, usageContext }: EndedCall,
  { counted }: FilledUsage,
): Attributes {
  const attributes: Attributes = {};
  if (tokenStatistics && reply.usage !== undefined) {
    Object.assign(attributes, billedAttributes(reply.usage));
  }
  const region = regionOfHost(serverAddress);
  if (region !== undefined) attributes[INFERENCE_REGION] = region;
  Object.assign(attributes, facts.attributes, reply.attributes);
  if (counted?.inputTokens !== undefined) attributes[ATTR.countedInputTokens] = counted.inputTokens;
  if (counted?.outputTokens !== undefined) {
    attributes[ATTR.countedOutputTokens] = counted.outputTokens;
  }
  if (usageContext.attributes !== undefined) addSound(attributes, usageContext.attributes);
  return attributes;
}

/** Only what an OpenTelemetry attribute and an InfluxDB field can both hold. */
function addSound(attributes: Attributes, given: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(given)) {
    const value = given[key];
    if (value === undefined || value === null) continue;
    const fits = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
    // As a name this one would replace what every object inherits, here and in whoever copies the record.
    if (fits && key !== '__proto__') attributes[key] = value as UsageAttributeValue;
    else warnLeftOut(key, value);
  }
}

function warnLeftOut(key: string, value: unknown): void {
  const problem = key === '__proto__' ? 'that name cannot be kept' : `it is a ${typeof value}`;
  warnOnce(
    `attribute ${key}`,
    `the attribute ${JSON.stringify(key.slice(0, 100))} is left out of usage records: ${problem}; allowed are texts, finite numbers, true and false`,
  );
}
