import { propagation, type Context } from '@opentelemetry/api';
import { ATTR } from '../../otel/semconv.ts';
import { isObject, type JsonObject } from '../../tokens/json.ts';

const RESOURCE = 'OTEL_RESOURCE_ATTRIBUTES';

/** Variables that choose the platform of the models, with its name. */
const PLATFORMS: readonly (readonly [variable: string, provider: string])[] = [
  ['CLAUDE_CODE_USE_BEDROCK', 'aws.bedrock'],
  ['CLAUDE_CODE_USE_VERTEX', 'gcp.vertex_ai'],
];

/** What the agent's process gets, of `options.env` or else of this process. */
export function environmentOf(options: JsonObject, own: JsonObject): JsonObject {
  return isObject(options['env']) ? options['env'] : own;
}

export function providerOf(environment: JsonObject): string {
  return PLATFORMS.find(([variable]) => isOn(environment[variable]))?.[1] ?? 'anthropic';
}

/** Whether the process reports its calls by OTLP as well. */
export function hasTelemetry(environment: JsonObject): boolean {
  return isOn(environment['CLAUDE_CODE_ENABLE_TELEMETRY']);
}

/**
 * Such a process says in its resource that they are recorded here. Undefined for
 * one that does not.
 */
export function markedEnvironment(
  options: JsonObject,
  own: JsonObject,
  inside: Context,
): JsonObject | undefined {
  const environment = environmentOf(options, own);
  if (!hasTelemetry(environment)) return undefined;
  const attributes = [environment[RESOURCE], `${ATTR.isMetered}=true`].filter(Boolean).join(',');
  const marked = { ...environment, [RESOURCE]: attributes };
  return isObject(options['env']) ? marked : withoutParent(marked, inside);
}

/** The SDK passes the trace context on, unless the environment that it is given has one. */
function withoutParent(environment: JsonObject, inside: Context): JsonObject {
  const carrier: Record<string, string> = {};
  propagation.inject(inside, carrier);
  if (!('traceparent' in carrier)) return environment;
  const { TRACEPARENT: _parent, TRACESTATE: _state, ...rest } = environment;
  return rest;
}

function isOn(value: unknown): boolean {
  return typeof value === 'string' && /^(1|true|yes|on)$/i.test(value.trim());
}
