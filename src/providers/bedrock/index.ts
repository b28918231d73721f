import type { CallStart } from '../../call/call-start.ts';
import type { ChatCall } from '../../call/chat-call.ts';
import { observeAsyncIterable } from '../../call/observed-stream.ts';
import { activeContext, runIn } from '../../context.ts';
import { setOwn } from '../../host/own-property.ts';
import { quietly } from '../../host/quietly.ts';
import { meterPromise, startCall } from '../metered-promise.ts';
import { exportedPrototype, isPatched, replaceMethod } from '../patching.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import { refusedCall, type MakeRefusal } from '../refused-call.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { noteCommands, shapeOf, type Command } from './commands.ts';
import { invokeModel } from './invoke-model.ts';
import { rememberHeaders, headersOf, type MiddlewareStack } from './response-headers.ts';

interface Client {
  readonly middlewareStack?: MiddlewareStack;
}
type Callback = (error: unknown, output?: unknown) => unknown;
type Send = (this: Client, command: Command, ...rest: unknown[]) => unknown;

/**
 * `send` is inherited from a class that all AWS clients share, so the Bedrock client gets one of its
 * own. The methods of `BedrockRuntime` end in it as well.
 */
export const bedrock: SdkPatch = {
  moduleName: '@aws-sdk/client-bedrock-runtime',
  testedMajors: [3, 3],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    noteCommands(moduleExports);
    const prototype = exportedPrototype(moduleExports, ['BedrockRuntimeClient']);
    if (typeof prototype !== 'object' || prototype === null || !('send' in prototype))
      return 'unfit';
    if (isPatched(prototype, 'send')) return 'already-patched';
    if (!Object.hasOwn(prototype, 'send')) {
      setOwn(prototype, 'send', prototype.send);
    }
    replaceMethod<Send>(prototype, 'send', (original) =>
      meteredSend(original, meter, refusalOf(moduleExports)),
    );
    return 'patched';
  },
};

function refusalOf(moduleExports: unknown): MakeRefusal {
  const { ThrottlingException } = moduleExports as {
    readonly ThrottlingException?: new (options: object) => Error;
  };
  return ({ status, message }) =>
    ThrottlingException &&
    new ThrottlingException({ message, $metadata: { httpStatusCode: status, attempts: 0 } });
}

function meteredSend(original: Send, meter: CurrentMeter, refusal: MakeRefusal): Send {
  return function send(this: Client, command: Command, ...rest: unknown[]): unknown {
    const shape = shapeOf(command);
    if (shape === undefined) return original.call(this, command, ...rest);
    const describe = (): CallStart => {
      if (isInvoke(shape) && this.middlewareStack !== undefined) {
        rememberHeaders(this.middlewareStack);
      }
      return { provider: 'aws.bedrock', shape, request: command.input };
    };
    const callback = rest.findIndex((argument) => typeof argument === 'function');
    if (callback < 0) {
      const invoke = (): Promise<unknown> =>
        original.call(this, command, ...rest) as Promise<unknown>;
      return meterPromise(
        meter,
        describe,
        invoke,
        (output, call) => watch(output, call, shape),
        refusal,
      );
    }
    const call = startCall(meter, describe);
    if (call === undefined) return original.call(this, command, ...rest);
    if (call.refusal !== undefined) {
      const error = refusedCall(call.refusal, refusal);
      queueMicrotask(() => void (rest[callback] as Callback)(error));
      return undefined;
    }
    // What the caller does next is no part of this call.
    const outside = activeContext();
    const given = (...args: Parameters<Callback>): unknown =>
      runIn(outside, () => (rest[callback] as Callback)(...args));
    const watched: Callback = (error, output) => {
      if (error === null || error === undefined) {
        quietly('watching a reply', () => watch(output, call, shape));
        return given(error, output);
      }
      call.failed(error);
      return given(error);
    };
    return call.run(() => original.call(this, command, ...rest.with(callback, watched)));
  };
}

function watch(output: unknown, call: ChatCall, shape: CallShape): void {
  const { stream, body } = (output ?? {}) as { stream?: unknown; body?: unknown };
  const events = stream ?? body;
  if (typeof events === 'object' && events !== null && Symbol.asyncIterator in events) {
    observeAsyncIterable(events as AsyncIterable<unknown>, call);
    return;
  }
  call.complete(isInvoke(shape) ? { output, headers: headersOf(output) } : output);
}

function isInvoke(shape: CallShape): boolean {
  return shape.reader === invokeModel.reader;
}
