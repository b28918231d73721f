import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { quietly, warnOnce } from '../../host/quietly.ts';
import { isObject, objectAt } from '../../tokens/json.ts';
import { namedIdentity, type Identity } from '../named-identity.ts';

/** What AI SDK 7 publishes around each of its operations, with or without telemetry integrations. */
interface Message {
  readonly type?: unknown;
  readonly event?: unknown;
}

/** The operation of the AI SDK that runs at present, the innermost one. */
interface Operation {
  /** From `runtimeContext`, as far as `telemetry.includeRuntimeContext` lets it out. */
  readonly identity: Identity;
  /** Of the operation around a model call, whose own event leaves them out. */
  readonly providerOptions: unknown;
  readonly streaming: boolean;
  /** A patched model or our integration has met this call. */
  seen: boolean;
}

const operations = new AsyncLocalStorage<Operation>();
const calls = new WeakMap<object, Operation>();
const NOBODY: Identity = {};
let listening = false;

/**
 * Binds the operation to the async context of all that happens in it, and warns once of a provider whose
 * calls reach neither a patched model nor our integration. Tokens are never taken from here: in streams
 * these messages end before the first chunk.
 */
export function listenToAiSdk(): void {
  if (listening) return;
  listening = true;
  const channel = tracingChannel<Operation, Message>('ai:telemetry');
  channel.start.bindStore(
    operations,
    (message) =>
      // What is thrown here would end the process.
      quietly('reading AI SDK telemetry', () => operationOf(message)) ?? emptyOperation(),
  );
  channel.asyncEnd.subscribe((message) => {
    quietly('reading AI SDK telemetry', () => noteEnd(message as Message));
  });
}

/** The operation a model call is made in; telling this is how the call is marked as seen. */
export function currentOperation(): Omit<Operation, 'seen'> | undefined {
  const operation = operations.getStore();
  if (operation !== undefined) operation.seen = true;
  return operation;
}

function operationOf(message: Message): Operation {
  const outer = operations.getStore();
  const { type, event } = message;
  const named = namedIdentity(objectAt(event, 'runtimeContext'));
  const operation: Operation = {
    identity: {
      userId: named.userId ?? outer?.identity.userId,
      conversationId: named.conversationId ?? outer?.identity.conversationId,
    },
    providerOptions: objectAt(event, 'providerOptions') ?? outer?.providerOptions,
    streaming: type === 'streamText' || (type !== 'generateText' && outer?.streaming === true),
    seen: false,
  };
  if (type === 'languageModelCall') calls.set(message, operation);
  return operation;
}

function noteEnd(message: Message): void {
  const operation = calls.get(message);
  if (operation === undefined || operation.seen) return;
  const provider = isObject(message.event) ? String(message.event['provider']) : 'unknown';
  warnOnce(
    `ai sdk ${provider}`,
    `calls of AI SDK provider ${provider} are not metered: its package is not known and ` +
      `telemetry.integrations of the call leaves ours out; wrap the call in meterChat`,
  );
}

function emptyOperation(): Operation {
  return { identity: NOBODY, providerOptions: undefined, streaming: false, seen: true };
}
