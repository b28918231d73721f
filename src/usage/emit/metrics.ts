import type { Meter, MetricAttributes } from '@opentelemetry/api';
import type { EndedCall } from '../../domain/ended-call.ts';
import type { ReportedUsage } from '../../domain/reported-usage.ts';
import {
  ATTR_METRIC,
  INSTRUMENTS,
  SECONDS_BUCKETS,
  TOKEN_BUCKETS,
  type InstrumentDefinition,
  type SemconvGeneration,
} from '../../otel/semconv.ts';
import type { UsageRecord } from '../../domain/usage-record.ts';
import { MetricAttributeSets } from './metric-attributes.ts';

/** What metrics have of a call that its record does not hold. */
type CallDetails = Pick<
  EndedCall,
  'facts' | 'reply' | 'chunkGapsMs' | 'serverAddress' | 'serverPort'
>;

/** Records one value. */
type Point = (value: number, attributes: MetricAttributes) => void;

interface Instrument {
  readonly definition: InstrumentDefinition;
  readonly record: Point;
}

/** Records usage on the instruments of the chosen generations. */
export class UsageMetrics {
  readonly #generations: readonly SemconvGeneration[];
  readonly #attributes: MetricAttributeSets;
  readonly #instruments = new WeakMap<Meter, readonly Instrument[]>();

  /** `extra`: names of attributes the user opted into (`user.id`, a key of record.attributes …). */
  constructor(generations: readonly SemconvGeneration[], extra: readonly string[]) {
    this.#generations = generations;
    this.#attributes = new MetricAttributeSets(extra);
  }

  /** Each meter has its own instruments: API 1.10 has no proxy for them. */
  record(meter: Meter, record: UsageRecord, call: CallDetails): void {
    let instruments = this.#instruments.get(meter);
    if (instruments === undefined) {
      instruments = makeInstruments(meter, this.#generations);
      this.#instruments.set(meter, instruments);
    }
    const attributes = this.#attributes.of(record, call);
    for (const { definition, record: add } of instruments) {
      if (definition.measure === 'chunkGapSeconds') {
        if (call.facts.stream !== true) continue;
        for (const gapMs of call.chunkGapsMs) add(gapMs / 1000, attributes.plain);
        continue;
      }
      const value = measured(definition.measure, record);
      if (value === undefined) continue;
      if (definition.byModality === true) {
        addByModality(add, value, attributes.plain, definition, call.reply.usage);
      } else add(value, attributes[definition.tokenType ?? 'plain']);
    }
  }
}

function makeInstruments(
  meter: Meter,
  generations: readonly SemconvGeneration[],
): readonly Instrument[] {
  const byName = new Map<string, Point>();
  return INSTRUMENTS.filter(
    ({ generation }) => generation === undefined || generations.includes(generation),
  ).map((definition) => {
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

function measured(
  measure: Exclude<InstrumentDefinition['measure'], 'chunkGapSeconds'>,
  record: UsageRecord,
): number | undefined {
  if (measure === 'durationSeconds') {
    // How long a result of a batch took is not known.
    const isKnown = record.serviceTier !== 'batch' || record.durationMs > 0;
    return isKnown ? record.durationMs / 1000 : undefined;
  }
  if (measure !== 'timeToFirstChunkSeconds') return record[measure];
  return record.timeToFirstChunkMs === undefined ? undefined : record.timeToFirstChunkMs / 1000;
}

/** Splits as the provider does; the rest is text then, and unknown where it splits nothing. */
function addByModality(
  add: Point,
  value: number,
  attributes: MetricAttributes,
  { measure }: InstrumentDefinition,
  usage: ReportedUsage | undefined,
): void {
  const { audio, image } = partsOf(measure, usage);
  const isSplit = audio !== undefined || image !== undefined;
  const rest = value - (audio ?? 0) - (image ?? 0);
  if (!isSplit || rest < 0) {
    add(value, { ...attributes, [ATTR_METRIC.tokenModality]: 'unknown' });
    return;
  }
  for (const [modality, tokens] of [
    ['text', rest],
    ['audio', audio],
    ['image', image],
  ] as const) {
    if (tokens !== undefined && (tokens > 0 || modality === 'text')) {
      add(tokens, { ...attributes, [ATTR_METRIC.tokenModality]: modality });
    }
  }
}

function partsOf(
  measure: InstrumentDefinition['measure'],
  usage: ReportedUsage | undefined,
): { audio?: number | undefined; image?: number | undefined } {
  if (measure === 'inputTokens') {
    return { audio: usage?.audioInputTokens, image: usage?.imageInputTokens };
  }
  if (measure === 'outputTokens') {
    return { audio: usage?.audioOutputTokens, image: usage?.imageOutputTokens };
  }
  return {};
}
