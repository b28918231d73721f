import type { CallStart } from '../call/call-start.ts';
import type { ChatCall } from '../call/chat-call.ts';
import { quietly } from '../host/quietly.ts';
import { refusedCall, type MakeRefusal } from './refused-call.ts';
import type { CurrentMeter } from './sdk-patch.ts';
import { serverOf } from './server.ts';

/** Where a call goes: asked only while metering is on, so it may cost something. */
export type DescribeCall = () => CallStart | undefined;

/**
 * Calls an SDK function that returns a plain promise. The promise handed out follows the SDK's, with
 * the same value or error; nobody awaiting a rejected one is still an unhandled rejection. A call that a
 * budget refuses is not made.
 */
export function meterPromise<T>(
  meter: CurrentMeter,
  describe: DescribeCall,
  invoke: () => Promise<T>,
  onReply: (reply: T, call: ChatCall) => void,
  makeRefusal?: MakeRefusal,
): Promise<T> {
  const call = startCall(meter, describe);
  if (call === undefined) return invoke();
  if (call.refusal !== undefined) return Promise.reject(refusedCall(call.refusal, makeRefusal));
  let reply: Promise<T>;
  try {
    reply = call.run(invoke);
  } catch (error) {
    call.failed(error);
    throw error;
  }
  return settling(reply, call, onReply);
}

/**
 * A request for the reply of an earlier call, by its id. Where that call is still pending the reply is
 * its end; a request that fails leaves it pending, unless the reply is gone.
 */
export function resumePromise<T>(
  meter: CurrentMeter,
  responseId: unknown,
  invoke: () => Promise<T>,
  onReply: (reply: T, call: ChatCall) => void,
): Promise<T> {
  const call = quietly('finding a call', () => meter()?.open.pending(String(responseId)));
  const reply = invoke();
  if (call === undefined) return reply;
  return settling(reply, call, onReply);
}

/** The same reply or error for the caller, once the call has it. */
function settling<T>(
  reply: Promise<T>,
  call: ChatCall,
  onReply: (reply: T, call: ChatCall) => void,
): Promise<T> {
  return reply.then(
    (value) => {
      quietly('watching a reply', () => onReply(value, call));
      return value;
    },
    (error: unknown) => {
      call.failed(error);
      throw error;
    },
  );
}

export function startCall(meter: CurrentMeter, describe: DescribeCall): ChatCall | undefined {
  return quietly('starting a call', () => {
    const current = meter();
    const start = current === undefined ? undefined : describe();
    return start === undefined ? undefined : current?.start(start);
  });
}

/** `server.*` of a call to this base URL. */
export function serverAt(url: unknown): Pick<CallStart, 'serverAddress' | 'serverPort'> {
  const server = serverOf(url instanceof URL ? url.href : url);
  return { serverAddress: server.address, serverPort: server.port };
}
