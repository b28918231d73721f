import type { EndedCall } from '../domain/ended-call.ts';
import { warnOnce } from '../host/quietly.ts';
import { billedAttributes } from '../domain/billed-usage.ts';
import { INFERENCE_REGION, regionOfHost } from '../domain/inference-region.ts';
import {
  ATTR,
  ATTR_CACHE_WRITE_TOKENS,
  ATTR_CONTENT,
  ATTR_DIMENSION_PREFIX,
  ATTR_OPENAI,
  ATTR_REQUEST,
  ATTR_TEXT_TOKENS,
} from '../otel/semconv.ts';
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

/** What records, spans and events say by themselves, so that no caller can say otherwise. */
const MEASURED: ReadonlySet<string> = new Set(
  [
    ATTR,
    ATTR_CACHE_WRITE_TOKENS,
    ATTR_CONTENT,
    ATTR_OPENAI,
    ATTR_REQUEST,
    ATTR_TEXT_TOKENS,
  ].flatMap((names) => Object.values(names)),
);

/** What a record has as members that a caller gives as attributes. */
const OF_MEMBERS: ReadonlySet<string> = new Set([ATTR.agentName, ATTR.runId]);

/**
 * Only what an OpenTelemetry attribute and an InfluxDB field can both hold, and nothing that is measured.
 * Usage that is billed beside tokens may be given, where the reply does not report it.
 */
function addSound(attributes: Attributes, given: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(given)) {
    const value = given[key];
    if (value === undefined || value === null || OF_MEMBERS.has(key)) continue;
    const problem = problemOf(key, value);
    if (problem !== undefined) warnLeftOut(key, problem);
    else if (!Object.hasOwn(attributes, key)) attributes[key] = value as UsageAttributeValue;
  }
}

function problemOf(key: string, value: unknown): string | undefined {
  // As a name this one would replace what every object inherits, here and in copies of the record.
  if (key === '__proto__') return 'that name cannot be kept';
  if (key === ATTR.team || key.startsWith(ATTR_DIMENSION_PREFIX)) {
    return 'it is given as team or in dimensions';
  }
  if (MEASURED.has(key)) return 'it is measured';
  const fits = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
  return fits
    ? undefined
    : `it is a ${typeof value}; allowed are texts, finite numbers, true and false`;
}

function warnLeftOut(key: string, problem: string): void {
  warnOnce(
    `attribute ${key}`,
    `the attribute ${JSON.stringify(key.slice(0, 100))} is left out of usage records: ${problem}`,
  );
}
