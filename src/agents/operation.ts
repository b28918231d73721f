import {
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Meter,
  type MetricAttributes,
  type Span,
  type SpanKind,
  type Tracer,
} from '@opentelemetry/api';
import { activeContext, runIn } from '../context.ts';
import { quietly } from '../host/quietly.ts';
import { CappedValues } from '../otel/capped-values.ts';
import { ATTR } from '../otel/semconv.ts';

/** As the conventions advise for MCP. */
const SECONDS: readonly number[] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

type DurationMetric = `mcp.${'client' | 'server'}.${'operation' | 'session'}.duration`;

/** A request to or from a tool server, or a session with one. */
export interface OperationStart {
  readonly metric: DurationMetric;
  /** Absent for a session, which has no span, and where the request belongs to a span that there is already. */
  readonly span?: { readonly name: string; readonly kind: SpanKind } | undefined;
  readonly attributes: Attributes;
  /** Names of the attributes that the metric has too, beside the error type. */
  readonly onMetric: readonly string[];
  /** @default the active Context */
  readonly parent?: Context | undefined;
  readonly links?: readonly Link[] | undefined;
}

/** Started once, ended once. None of its methods throws. */
export interface OpenOperation {
  /** In which all of it happens. */
  readonly context: Context;
  readonly span: Span | undefined;
  run<T>(fn: () => T): T;
  /** `errorType`: what went wrong, if anything. */
  end(errorType?: string, attributes?: Attributes): void;
}

export class Operations {
  readonly #tracer: () => Tracer;
  readonly #capped = new CappedValues();
  readonly #points = new WeakMap<
    Meter,
    Map<string, (value: number, attributes: MetricAttributes) => void>
  >();

  constructor(tracer: () => Tracer) {
    this.#tracer = tracer;
  }

  start(start: OperationStart, meters: () => readonly Meter[]): OpenOperation {
    const parent = start.parent ?? activeContext();
    const startedMs = performance.now();
    const span =
      start.span &&
      this.#tracer().startSpan(
        start.span.name,
        {
          kind: start.span.kind,
          attributes: start.attributes,
          ...(start.links !== undefined && { links: [...start.links] }),
        },
        parent,
      );
    const context = span === undefined ? parent : trace.setSpan(parent, span);
    let isOpen = true;
    return {
      context,
      span,
      run: (fn) => runIn(context, fn),
      end: (errorType, attributes = {}) => {
        if (!isOpen) return;
        isOpen = false;
        quietly('ending an operation', () => {
          const failure = errorType === undefined ? {} : { [ATTR.errorType]: errorType };
          if (span !== undefined) {
            span.setAttributes({ ...attributes, ...failure });
            if (errorType !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
            span.end();
          }
          const all: Attributes = { ...start.attributes, ...attributes };
          const seconds = (performance.now() - startedMs) / 1000;
          for (const meter of meters()) {
            this.#record(meter, start.metric, seconds, {
              ...this.#metricAttributes(all, start.onMetric),
              ...failure,
            });
          }
        });
      },
    };
  }

  #metricAttributes(all: Attributes, names: readonly string[]): MetricAttributes {
    const attributes: MetricAttributes = {};
    for (const name of names) {
      const value = all[name];
      if (typeof value === 'string') attributes[name] = this.#capped.of(name, value);
    }
    return attributes;
  }

  #record(meter: Meter, name: DurationMetric, seconds: number, attributes: MetricAttributes): void {
    let points = this.#points.get(meter);
    if (points === undefined) this.#points.set(meter, (points = new Map()));
    let record = points.get(name);
    if (record === undefined) {
      const description = name.includes('session')
        ? 'Duration of an MCP session'
        : 'Duration of an MCP request';
      const advice = { explicitBucketBoundaries: [...SECONDS] };
      const histogram = meter.createHistogram(name, { unit: 's', description, advice });
      points.set(name, (record = (value, of) => histogram.record(value, of)));
    }
    record(seconds, attributes);
  }
}
