import { observeReadableStream } from '../../call/observed-readable.ts';
import type { ReplySink } from '../../call/reply-sink.ts';
import type { Failure } from '../../domain/failure.ts';
import { quietly } from '../../host/quietly.ts';
import { isObject, stringAt } from '../../tokens/json.ts';

/** A call or a step that a stream belongs to. */
export interface StreamSink extends ReplySink {
  failedWith(failure: Failure): void;
}

/** Under which the AI SDK's result of `streamText` or `streamObject` hands out its parts or its text. */
const STREAMS = ['stream', 'fullStream', 'textStream'] as const;

/**
 * Watches the AI SDK's result of a stream. It is read by getters, which begin to read when they are
 * asked: so none is asked here, and the first stream that somebody else asks for is watched. False when
 * it is no such result.
 */
export function observeStreamResult(value: object, call: StreamSink): boolean {
  if (!('textStream' in value && 'fullStream' in value)) return false;
  let watched = false;
  for (const name of STREAMS) {
    const get = getterOf(value, name);
    if (get === undefined) continue;
    Object.defineProperty(value, name, {
      configurable: true,
      enumerable: false,
      // Of the result itself, also where it is behind a proxy.
      get(this: object): unknown {
        const stream = get(this);
        if (watched || !(stream instanceof ReadableStream)) return stream;
        watched = true;
        quietly('watching a stream', () => observeReadableStream(stream, partSink(call)));
        return stream;
      },
    });
  }
  call.arrived(value);
  return true;
}

function getterOf(value: object, name: string): ((of: object) => unknown) | undefined {
  for (let owner: object | null = value; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor === undefined) continue;
    return 'value' in descriptor ? undefined : (of) => descriptor.get?.call(of);
  }
  return undefined;
}

/** Parts in the form that a wrapped function's own chunks have; pieces of text are that already. */
function partSink(call: StreamSink): ReplySink {
  return {
    get ended() {
      return call.ended;
    },
    arrived: (handle) => call.arrived(handle),
    reading: (handle) => call.reading(handle),
    streamEnded: (done) => call.streamEnded(done),
    failed: (error) => call.failed(error),
    event(part) {
      if (!isObject(part)) {
        call.event(part);
        return;
      }
      switch (part['type']) {
        case 'text-delta':
          call.event(stringAt(part, 'text') ?? stringAt(part, 'textDelta'));
          break;
        case 'finish':
          call.event({ ...part, usage: part['totalUsage'] ?? part['usage'] });
          break;
        case 'error':
          call.failed(part['error']);
          break;
        case 'abort':
          call.failedWith({ outcome: 'aborted', type: 'AbortError' });
          break;
      }
    },
  };
}
