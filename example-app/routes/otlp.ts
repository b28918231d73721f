import type { Context } from 'koa';
import { TokenMeterError } from 'otel-token-meter';
import type { OtlpIngest, OtlpSignal } from 'otel-token-meter/ingest';
import { z } from 'zod';
import type { Role } from '../middleware/access.ts';
import { bytesOf } from '../middleware/bytes-body.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';

export interface OtlpRoutesOptions {
  /** Undefined without a ledger: then there is nothing to report to. */
  readonly ingest: OtlpIngest | undefined;
  /** Anyone on a loopback address without tokens, otherwise those with a token to report. */
  readonly role: Role | 'anyone';
}

/**
 * Senders have batches of 512 spans: some 100 kB without content, up to a few MB with it. Decoding 4 MB takes
 * the main thread some 50 ms.
 */
const LIMIT_BYTES = 4 * 1024 * 1024;
const PROTOBUF = 'application/x-protobuf';
const TYPES = [PROTOBUF, 'application/json'] as const;

const WHAT: Readonly<Record<OtlpSignal, string>> = {
  traces: 'Spans of other services (OTLP/HTTP): calls of a model become records of the ledger',
  logs: 'Events of other services and coding agents (OTLP/HTTP): calls become records of the ledger',
  metrics: 'Metrics (OTLP/HTTP): accepted and not recorded, since they are sums of the same calls',
};

const answer = z.looseObject({
  partialSuccess: z
    .strictObject({ rejectedSpans: z.string(), errorMessage: z.string() })
    .optional()
    .describe('Calls whose time is in the future'),
});

export function otlpRoutes({ ingest, role }: OtlpRoutesOptions): readonly ApiRoute[] {
  if (ingest === undefined) return [];
  return (['traces', 'logs', 'metrics'] as const).map((signal) =>
    apiRoute({
      method: 'post',
      path: `/v1/${signal}`,
      summary: WHAT[signal],
      role,
      bytes: { limitBytes: LIMIT_BYTES, types: TYPES },
      answers: {
        200: {
          description: 'Taken, in the type of the request',
          schema: answer,
          also: { [PROTOBUF]: z.string() },
        },
        400: { description: 'The body is no OTLP request of this kind' },
        503: { description: 'Many requests are being read; send it again later' },
      },
      async handle(ctx) {
        const isJson = ctx.is('application/json') !== false;
        const type = isJson ? 'application/json' : PROTOBUF;
        const { refused } = await taken(ctx, ingest, signal, type);
        ctx.body = isJson ? JSON.stringify(jsonAnswer(refused)) : protobufAnswer(refused);
        ctx.type = type;
      },
    }),
  );
}

async function taken(ctx: Context, ingest: OtlpIngest, signal: OtlpSignal, type: string) {
  try {
    return await ingest.take(signal, bytesOf(ctx), type);
  } catch (error) {
    const code = error instanceof TokenMeterError ? error.code : undefined;
    if (code === 'INVALID_TELEMETRY') {
      ctx.throw(400, (error as Error).message, { code: 'invalid_body' });
    }
    if (code === 'MISSING_DEPENDENCY') {
      ctx.throw(415, (error as Error).message, { code: 'unsupported_media_type' });
    }
    throw error;
  }
}

const REASON = 'calls of the future are not recorded; check the clock of the sender';

function jsonAnswer(refused: number): z.infer<typeof answer> {
  return refused === 0
    ? {}
    : { partialSuccess: { rejectedSpans: String(refused), errorMessage: REASON } };
}

/** `ExportTraceServiceResponse`, which those of logs and metrics equal: empty, or with its `partial_success`. */
function protobufAnswer(refused: number): Buffer {
  if (refused === 0) return Buffer.alloc(0);
  const reason = Buffer.from(REASON);
  const partial = Buffer.concat([
    Buffer.from([0x08, ...varint(refused), 0x12, reason.length]),
    reason,
  ]);
  return Buffer.concat([Buffer.from([0x0a, ...varint(partial.length)]), partial]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}
