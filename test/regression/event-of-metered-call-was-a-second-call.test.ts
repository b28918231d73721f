import assert from 'node:assert/strict';
import { trace } from '@opentelemetry/api';
import { StepMeter } from '../../src/agents/step-meter.ts';
import { CallMeter } from '../../src/call/call-meter.ts';
import type { CallLead } from '../../src/call/call-start.ts';
import type { EndedCall } from '../../src/domain/ended-call.ts';
import { LateCalls } from '../../src/providers/vercel-ai/late-calls.ts';
import { embed } from '../../src/providers/vercel-ai/embedding-model.ts';
import type { currentCallMeter } from '../../src/metering-in-force.ts';

/**
 * The start of the event was worked out from the time of its end. On a busy machine that came out later
 * than the start of the call inside, which then counted as another call.
 */
describe('an event of the AI SDK about a call that its patched model metered', () => {
  it('is not recorded again, however long the code between the two takes', () => {
    const ended: EndedCall[] = [];
    let now = 0;
    const lead: CallLead = {
      tracer: () => trace.getTracer('test'),
      requestIdentity: 'plain',
      nativeSpans: 'enrich',
      chunkTimes: 'mean',
      steps: new StepMeter({
        tracer: () => trace.getTracer('test'),
        generations: ['v1_41'],
        captureContent: false,
        nativeSpans: 'enrich',
        isEmitting: () => true,
      }),
    };
    const meter = new CallMeter({
      // Every look at the clock takes a millisecond.
      clock: { wallMs: () => Date.now(), monotonicMs: () => (now += 1) },
      audience: () => ({
        lead,
        tokenStatistics: true,
        keepContent: false,
        onEnd: (call) => void ended.push(call),
      }),
    });
    const current = (() => meter) as unknown as typeof currentCallMeter;
    const late = new LateCalls(current);
    const event = { provider: 'tides.embedding', modelId: 'sea-1' };
    late.begin('embed', event);
    const call = meter.start({
      provider: 'tides',
      shape: embed,
      request: { values: ['Sea'] },
      model: 'sea-1',
    });
    call?.complete({ embeddings: [[1]], usage: { tokens: 3 } });
    late.end('embed', embed, event, { embeddings: [[1]], usage: { tokens: 3 } });
    assert.equal(ended.length, 1);
  });
});
