import type { MetricAttributes } from '@opentelemetry/api';
import type { UsageRecord } from '../../domain/usage-record.ts';
import type { InstrumentDefinition } from '../../otel/instruments.ts';
import { CappedValues } from '../../otel/capped-values.ts';
import { ATTR, ATTR_DIMENSION_PREFIX, ATTR_METRIC, ATTR_OPENAI } from '../../otel/semconv.ts';

/** Sets kept; looked through one by one, so few. */
const KEPT_MAX = 16;

type Described = Pick<
  UsageRecord,
  | 'operation'
  | 'provider'
  | 'requestModel'
  | 'responseModel'
  | 'outcome'
  | 'errorType'
  | 'serviceTier'
>;
interface Server {
  readonly serverAddress: string | undefined;
  readonly serverPort: number | undefined;
}

/** The attributes of one call's points. */
type AttributeSet = Readonly<Record<InstrumentDefinition['attributes'], MetricAttributes>>;

interface Kept {
  readonly attributes: AttributeSet;
  readonly of: Described;
  readonly server: Server;
}

/** Makes the attributes of points, and makes them once for calls that are alike. */
export class MetricAttributeSets {
  readonly #extra: readonly string[];
  readonly #capped = new CappedValues();
  readonly #kept: Kept[] = [];
  #oldest = 0;

  /** `extra`: names of attributes the user opted into (`user.id`, a key of record.attributes …). */
  constructor(extra: readonly string[]) {
    this.#extra = extra;
  }

  of(record: UsageRecord, server: Server): AttributeSet {
    // What the user opted into may be another value in each call.
    if (this.#extra.length > 0) return this.#setOf(record, server);
    for (const kept of this.#kept) if (isOf(kept, record, server)) return kept.attributes;
    const { operation, provider, requestModel, responseModel } = record;
    const { outcome, errorType, serviceTier } = record;
    const attributes = this.#setOf(record, server);
    this.#kept[this.#oldest] = {
      attributes,
      of: {
        operation,
        provider,
        requestModel,
        outcome,
        ...(responseModel !== undefined && { responseModel }),
        ...(errorType !== undefined && { errorType }),
        ...(serviceTier !== undefined && { serviceTier }),
      },
      server: { serverAddress: server.serverAddress, serverPort: server.serverPort },
    };
    this.#oldest = (this.#oldest + 1) % KEPT_MAX;
    return attributes;
  }

  #setOf(record: UsageRecord, server: Server): AttributeSet {
    const { errorType, provider, serviceTier } = record;
    const stream = this.#attributes(record, server);
    const usage =
      provider === 'openai' && serviceTier !== undefined
        ? {
            ...stream,
            [ATTR_OPENAI.responseServiceTier]: this.#capped.of(
              ATTR_OPENAI.responseServiceTier,
              serviceTier,
            ),
          }
        : stream;
    return {
      stream: inOrder(stream),
      usage: inOrder(usage),
      operation: inOrder(
        errorType === undefined ? usage : { ...usage, [ATTR.errorType]: errorType },
      ),
      input: inOrder({ ...usage, [ATTR_METRIC.tokenType]: 'input' }),
      output: inOrder({ ...usage, [ATTR_METRIC.tokenType]: 'output' }),
    };
  }

  #attributes(record: UsageRecord, { serverAddress, serverPort }: Server): MetricAttributes {
    const attributes: MetricAttributes = {
      [ATTR.operationName]: record.operation,
      [ATTR.providerName]: record.provider,
      [ATTR.requestModel]: this.#capped.of(ATTR.requestModel, record.requestModel),
      [ATTR.outcome]: record.outcome,
    };
    if (record.responseModel !== undefined) {
      attributes[ATTR.responseModel] = this.#capped.of(ATTR.responseModel, record.responseModel);
    }
    if (serverAddress !== undefined) attributes[ATTR.serverAddress] = serverAddress;
    if (serverPort !== undefined) attributes[ATTR.serverPort] = serverPort;
    for (const name of this.#extra) {
      const value = extraValue(name, record);
      if (value !== undefined) attributes[name] = this.#capped.of(name, String(value));
    }
    return attributes;
  }
}

function isOf({ of, server }: Kept, record: UsageRecord, { serverAddress, serverPort }: Server) {
  return (
    of.requestModel === record.requestModel &&
    of.responseModel === record.responseModel &&
    of.outcome === record.outcome &&
    of.errorType === record.errorType &&
    of.serviceTier === record.serviceTier &&
    of.operation === record.operation &&
    of.provider === record.provider &&
    server.serverAddress === serverAddress &&
    server.serverPort === serverPort
  );
}

/** By name: the SDK sorts the names for every point, and what is in order is sorted soonest. */
function inOrder(attributes: MetricAttributes): MetricAttributes {
  const ordered: MetricAttributes = {};
  for (const name of Object.keys(attributes).toSorted()) ordered[name] = attributes[name];
  return ordered;
}

function extraValue(name: string, record: UsageRecord): string | number | boolean | undefined {
  if (name === ATTR.userId) return record.userId;
  if (name === ATTR.conversationId) return record.conversationId;
  if (name === ATTR.tokenSource) return record.tokenSource;
  if (name === ATTR.team) return record.team;
  if (name === ATTR.agentName) return record.agentName;
  if (name === ATTR.toolName) return record.toolName;
  if (name.startsWith(ATTR_DIMENSION_PREFIX)) {
    return record.dimensions?.[name.slice(ATTR_DIMENSION_PREFIX.length)];
  }
  return record.attributes[name];
}
