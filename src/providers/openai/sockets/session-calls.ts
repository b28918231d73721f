import type { CallStart } from '../../../call/call-start.ts';
import type { ChatCall } from '../../../call/chat-call.ts';
import { activeContext, mergeUsage, usageContextOf } from '../../../context.ts';
import type { CallShape } from '../../../domain/call-shape.ts';
import type { UsageContext } from '../../../domain/usage-context.ts';
import type { CurrentMeter } from '../../sdk-patch.ts';
import { serverOf } from '../../server.ts';
import { providerOfHost } from '../hosts.ts';

export interface SessionCall {
  readonly shape: CallShape;
  readonly request: unknown;
  readonly model: string | undefined;
  /** The server began it by itself, or what was sent was not seen. */
  readonly isUnderway: boolean;
  /** Nobody knows who asked for it. @default false */
  readonly isOfNobody?: boolean;
}

/** Starts the calls of one socket, each for the user of the session or of the code that asks. */
export class SessionCalls {
  readonly #meter: CurrentMeter;
  readonly #source: Pick<CallStart, 'provider' | 'serverAddress' | 'serverPort'>;
  /** Of the code that opened the socket, whose Context its events come in. */
  readonly #usage: UsageContext = usageContextOf(activeContext());

  constructor(meter: CurrentMeter, url: URL) {
    this.#meter = meter;
    const { address = '', port } = serverOf(url.href);
    this.#source = {
      provider: providerOfHost(address),
      serverAddress: address,
      serverPort: port,
    };
  }

  /** Undefined while metering is off. */
  start({
    shape,
    request,
    model,
    isUnderway,
    isOfNobody = false,
  }: SessionCall): ChatCall | undefined {
    return this.#meter()?.start({
      ...this.#startOf(shape, model),
      ...(isOfNobody && { ambient: {} }),
      request,
      isUnderway,
    });
  }

  /** A call that was over before it was seen. `durationMs` since it began. */
  finished(
    shape: CallShape,
    model: string | undefined,
    event: unknown,
    durationMs: number,
    failure?: string,
  ): void {
    const meter = this.#meter();
    const audience = meter?.audience();
    if (meter === undefined || audience === undefined) return;
    const reader = shape.reader({ usage: audience.tokenStatistics, output: false });
    reader.event(event);
    meter.finished(
      { ...this.#startOf(shape, model), request: undefined },
      {
        endedAtMs: Date.now(),
        durationMs,
        sinceMs: meter.nowMs() - durationMs,
        reply: reader.result(),
        outcome: failure === undefined ? 'ok' : 'error',
        errorType: failure,
        audience,
      },
    );
  }

  #startOf(shape: CallShape, model: string | undefined): Omit<CallStart, 'request'> {
    return {
      ...this.#source,
      shape,
      model,
      ambient: mergeUsage(this.#usage, usageContextOf(activeContext())),
    };
  }
}
