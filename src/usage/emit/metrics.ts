import type { Meter, MetricAttributes } from '@opentelemetry/api';
import type { EndedCall } from '../../domain/ended-call.ts';
import {
  instrumentsOf,
  kindOfCall,
  SECONDS_BUCKETS,
  TOKEN_BUCKETS,
  type InstrumentDefinition,
  type Measure,
} from '../../otel/instruments.ts';
import { ATTR_METRIC, type SemconvGeneration } from '../../otel/semconv.ts';
import type { TokenUsage, UsageRecord } from '../../domain/usage-record.ts';
import { MetricAttributeSets } from './metric-attributes.ts';
import { byModality, metricTokens, type MetricTokens } from './metric-tokens.ts';

export interface UsageMetricsOptions {
  readonly generations: readonly SemconvGeneration[];
  /** Names of attributes the user opted into (`user.id`, a key of record.attributes …). */
  readonly extraAttributes: readonly string[];
  /** Whether token metrics have tokens that were counted locally. */
  readonly withCounted: boolean;
}

/** What metrics have of a call that its record does not hold. */
type CallDetails = Pick<
  EndedCall,
  'facts' | 'reply' | 'chunkGapsMs' | 'serverAddress' | 'serverPort' | 'tokenStatistics'
>;

/** Records one value. */
type Point = (value: number, attributes: MetricAttributes) => void;

interface Instrument {
  readonly definition: InstrumentDefinition;
  readonly record: Point;
}

/** Records usage on the instruments of the chosen generations. */
export class UsageMetrics {
  readonly #options: UsageMetricsOptions;
  readonly #attributes: MetricAttributeSets;
  readonly #instruments = new WeakMap<Meter, readonly Instrument[]>();

  constructor(options: UsageMetricsOptions) {
    this.#options = options;
    this.#attributes = new MetricAttributeSets(options.extraAttributes);
  }

  /** Each meter has its own instruments: API 1.10 has no proxy for them. */
  record(meter: Meter, record: UsageRecord, call: CallDetails): void {
    let instruments = this.#instruments.get(meter);
    if (instruments === undefined) {
      instruments = makeInstruments(meter, this.#options.generations);
      this.#instruments.set(meter, instruments);
    }
    const attributes = this.#attributes.of(record, call);
    const kind = kindOfCall(record.operation);
    const usage = call.tokenStatistics ? call.reply.usage : undefined;
    const tokens = metricTokens(record, usage, this.#options.withCounted);
    for (const { definition, record: add } of instruments) {
      if (definition.kindOfCall !== undefined && definition.kindOfCall !== kind) continue;
      const { measure } = definition;
      const own = attributes[definition.attributes];
      if (measure === 'chunkGapSeconds') {
        if (call.facts.stream !== true) continue;
        for (const gapMs of call.chunkGapsMs) add(gapMs / 1000, own);
        continue;
      }
      const value = isTokens(measure) ? tokens.counts[measure] : measured(measure, record);
      if (value !== undefined) {
        if (definition.byModality !== true || !isTokens(measure)) add(value, own);
        else addByModality(add, value, own, tokens, measure);
      } else if (definition.everyCall === true && call.tokenStatistics) {
        add(0, definition.byModality === true ? inModality(own, 'unknown') : own);
      }
    }
  }
}

function makeInstruments(
  meter: Meter,
  generations: readonly SemconvGeneration[],
): readonly Instrument[] {
  const byName = new Map<string, Point>();
  return instrumentsOf(generations).map((definition) => {
    const { name } = definition;
    const record = byName.get(name) ?? pointOf(meter, definition);
    byName.set(name, record);
    return { definition, record };
  });
}

function pointOf(meter: Meter, definition: InstrumentDefinition): Point {
  const { name, kind, unit, description } = definition;
  if (kind === 'counter') {
    const counter = meter.createCounter(name, { unit, description });
    return (value, attributes) => counter.add(value, attributes);
  }
  const advice = { explicitBucketBoundaries: [...bucketsOf(definition)] };
  const histogram = meter.createHistogram(name, { unit, description, advice });
  return (value, attributes) => histogram.record(value, attributes);
}

function bucketsOf({ unit }: InstrumentDefinition): readonly number[] {
  return unit === 's' ? SECONDS_BUCKETS : TOKEN_BUCKETS;
}

function isTokens(measure: Measure): measure is keyof TokenUsage {
  return measure.endsWith('Tokens');
}

function measured(
  measure: Exclude<Measure, 'chunkGapSeconds' | keyof TokenUsage>,
  record: UsageRecord,
): number | undefined {
  if (measure === 'costUsd') return record.costUsd;
  if (measure === 'durationSeconds') {
    // 0: nobody knows how long a result of a batch took, or a call that was recorded by hand.
    return record.durationMs > 0 ? record.durationMs / 1000 : undefined;
  }
  return record.timeToFirstChunkMs === undefined ? undefined : record.timeToFirstChunkMs / 1000;
}

/** Splits as the provider does; the rest is text then, and unknown where it splits nothing. */
function addByModality(
  add: Point,
  value: number,
  attributes: MetricAttributes,
  tokens: MetricTokens,
  count: keyof TokenUsage,
): void {
  const parts = byModality(tokens, count, value);
  if (parts === undefined) {
    add(value, inModality(attributes, 'unknown'));
    return;
  }
  for (const [modality, part] of parts) add(part, inModality(attributes, modality));
}

function inModality(attributes: MetricAttributes, modality: string): MetricAttributes {
  return { ...attributes, [ATTR_METRIC.tokenModality]: modality };
}
