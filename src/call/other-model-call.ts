import type { EndedCall } from '../domain/ended-call.ts';
import type { OtherModelUse } from '../domain/reply.ts';

/** A model that the provider called for a reply, as a call. How long it took is not known. */
export function otherModelCall(
  ended: EndedCall,
  { operation, model, usage }: OtherModelUse,
): Omit<EndedCall, 'span' | 'spanIsForeign'> {
  const { span: _span, spanIsForeign: _isForeign, shape, reply, ...rest } = ended;
  return {
    ...rest,
    shape: {
      operation,
      inputOnly: true,
      request: () => ({ model }),
      reader: (options) => shape.reader(options),
      countable: () => ({ kind: 'unknown' }),
    },
    facts: { model },
    request: undefined,
    durationMs: 0,
    timeToFirstChunkMs: undefined,
    chunkGapsMs: [],
    outcome: 'ok',
    errorType: undefined,
    reply: {
      usage,
      closed: true,
      outputs: [],
      // Which other tier served it is not said.
      serviceTier: reply.serviceTier === 'batch' ? 'batch' : undefined,
    },
  };
}
