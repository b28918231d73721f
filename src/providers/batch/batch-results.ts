import { ROOT_CONTEXT } from '@opentelemetry/api';
import type { CallStart } from '../../call/call-start.ts';
import { NO_USAGE_CONTEXT, runIn, setUsageContext } from '../../context.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Reply } from '../../domain/reply.ts';
import type { RequestFacts } from '../../domain/request-facts.ts';
import { ATTR_BATCH } from '../../otel/semconv.ts';
import { present } from '../../tokens/json.ts';
import type { CurrentMeter } from '../sdk-patch.ts';

/** Where a batch was fetched from. */
export interface BatchSource extends Pick<CallStart, 'provider' | 'serverAddress' | 'serverPort'> {
  /** Id of the batch, or of the file that holds its results. */
  readonly batchId: string;
}

/** What became of one request of a batch. */
export interface BatchResult {
  readonly shape: CallShape;
  /** The reply, as the same call would have given it. */
  readonly body?: unknown;
  readonly failure?: Failure | undefined;
  /** What the result repeats of the request. */
  readonly facts?: RequestFacts;
  readonly customId?: string | undefined;
  /** Id of the result, for replies without one. */
  readonly resultId?: string | undefined;
  /** When the reply was made, where the provider says it. */
  readonly madeAtMs?: number | undefined;
}

/** Results remembered, some 100 bytes each. Beyond, the oldest are forgotten. */
const REMEMBERED_MAX = 100_000;
const NOTHING_READ: Reply = { closed: true, outputs: [] };

/** Results are no part of what fetches them: neither of its trace nor of the calls around it. */
const OUTSIDE = setUsageContext(ROOT_CONTEXT, NO_USAGE_CONTEXT);

/** Results that are recorded already, whoever fetched them. */
const recorded = new Set<string>();

/**
 * Records one result, unless it was recorded before. It belongs to nobody by default: the code that
 * fetches a batch runs for another user, or for none. Providers do not say how long a result took.
 */
export function recordResult(meter: CurrentMeter, source: BatchSource, result: BatchResult): void {
  const calls = meter();
  const audience = calls?.audience();
  if (calls === undefined || audience === undefined) return;
  const { shape, body, failure, facts = {}, customId, resultId, madeAtMs } = result;
  const { batchId, ...server } = source;
  const reply =
    failure === undefined ? replyOf(shape, body, audience.tokenStatistics) : NOTHING_READ;
  const id = reply.responseId ?? [batchId, resultId ?? customId];
  if (!isFirst(JSON.stringify([source.provider, id]))) return;
  runIn(OUTSIDE, () =>
    calls.finished(
      {
        ...server,
        shape: {
          ...shape,
          request: () => ({ ...facts, model: facts.model ?? reply.responseModel }),
        },
        request: undefined,
        usageContext: {
          attributes: present({ [ATTR_BATCH.id]: batchId, [ATTR_BATCH.customId]: customId }),
        },
      },
      {
        endedAtMs: madeAtMs ?? Date.now(),
        durationMs: 0,
        sinceMs: calls.nowMs(),
        reply: { ...reply, serviceTier: 'batch' },
        outcome: failure?.outcome ?? 'ok',
        errorType: failure?.type,
        audience,
      },
    ),
  );
}

function replyOf(shape: CallShape, body: unknown, usage: boolean): Reply {
  const reader = shape.reader({ usage, output: false });
  reader.whole(body);
  return reader.result();
}

function isFirst(key: string): boolean {
  if (recorded.has(key)) return false;
  recorded.add(key);
  const [oldest] = recorded;
  if (recorded.size > REMEMBERED_MAX && oldest !== undefined) recorded.delete(oldest);
  return true;
}
