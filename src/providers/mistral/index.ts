import type { ChatCall } from '../../call/chat-call.ts';
import type { DeferredSpan } from '../../otel/native-span.ts';
import { observeReadableStream } from '../../call/observed-readable.ts';
import { quietly } from '../../host/quietly.ts';
import { meterPromise, serverAt } from '../metered-promise.ts';
import { isPatched, replaceMethod } from '../patching.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import { requireOfApplication } from '../../host/require-here.ts';
import type { MakeRefusal } from '../refused-call.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../sdk-patch.ts';
import { streamed } from '../streamed.ts';
import { patchMistralBatches } from './batches.ts';
import { collectSpan, expectSpan } from './native-span.ts';
import {
  chat,
  classification,
  conversation,
  embeddings,
  fillInTheMiddle,
  moderation,
  ocr,
  speech,
  transcription,
} from './shapes.ts';

interface Resource {
  readonly _baseURL?: URL | null;
}
type Method = (this: Resource, request: unknown, ...rest: unknown[]) => Promise<unknown>;

const streamedChat = streamed(chat);
const streamedConversation = streamed(conversation);

/** Path of getters from the client → method → what it is. `parse` does not go through `complete`. */
const METHODS: Readonly<Record<string, Readonly<Record<string, CallShape>>>> = {
  chat: { complete: chat, parse: chat, stream: streamedChat, parseStream: streamedChat },
  agents: { complete: chat, stream: streamedChat },
  fim: { complete: fillInTheMiddle, stream: streamed(fillInTheMiddle) },
  embeddings: { create: embeddings },
  ocr: { process: ocr },
  classifiers: {
    moderate: moderation,
    moderateChat: moderation,
    classify: classification,
    classifyChat: classification,
  },
  'audio.speech': { complete: speech },
  'audio.transcriptions': { complete: transcription, stream: streamed(transcription) },
  'beta.conversations': {
    start: conversation,
    append: conversation,
    restart: conversation,
    startStream: streamedConversation,
    appendStream: streamedConversation,
    restartStream: streamedConversation,
  },
};

/**
 * The resource classes are not exported: their prototypes are reached through the getters of a client
 * made for this, which opens no connection.
 */
export const mistral: SdkPatch = {
  moduleName: '@mistralai/mistralai',
  testedMajors: [1, 2],
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
    const client = quietly('reading @mistralai/mistralai', () => probe(moduleExports));
    const chatPrototype = prototypeAt(client, 'chat');
    if (chatPrototype === undefined || !Object.hasOwn(chatPrototype, 'complete')) return 'unfit';
    if (isPatched(chatPrototype, 'complete')) return 'already-patched';
    for (const [resource, methods] of Object.entries(METHODS)) {
      const owner = quietly('reading @mistralai/mistralai', () => prototypeAt(client, resource));
      for (const [name, shape] of Object.entries(methods)) {
        if (owner === undefined || !Object.hasOwn(owner, name)) continue;
        replaceMethod<Method>(owner, name, (original) => metered(original, shape, meter));
      }
    }
    patchMistralBatches(
      (resource) => quietly('reading @mistralai/mistralai', () => prototypeAt(client, resource)),
      meter,
    );
    return 'patched';
  },
};

function probe(moduleExports: unknown): object | undefined {
  const { Mistral } = (moduleExports ?? {}) as { Mistral?: new (options: object) => object };
  return typeof Mistral === 'function' ? new Mistral({ apiKey: 'unused' }) : undefined;
}

function prototypeAt(client: object | undefined, resource: string): object | undefined {
  let value: unknown = client;
  for (const name of resource.split('.')) {
    value = (value as Record<string, unknown> | null | undefined)?.[name];
  }
  return typeof value === 'object' && value !== null
    ? (Object.getPrototypeOf(value) as object)
    : undefined;
}

function metered(original: Method, shape: CallShape, meter: CurrentMeter): Method {
  return function (this: Resource, request: unknown, ...rest: unknown[]): Promise<unknown> {
    let span: DeferredSpan | undefined;
    return meterPromise(
      meter,
      () => {
        span = expectSpan(this);
        return {
          provider: 'mistral_ai',
          shape,
          request,
          laterNativeSpan: span,
          ...serverAt(this._baseURL),
        };
      },
      () => collectSpan(span, () => original.call(this, request, ...rest)),
      watch,
      sdkError,
    );
  };
}

function watch(reply: unknown, call: ChatCall): void {
  if (!observeReadableStream(reply, call)) call.complete(reply);
}

/** The class is in an entry of its own, which only some applications import. */
const sdkError: MakeRefusal = ({ status, body, headers }) => {
  const { SDKError } = requireOfApplication()('@mistralai/mistralai/models/errors') as {
    readonly SDKError: new (message: string, http: object) => Error;
  };
  const json = JSON.stringify(body);
  return new SDKError('API error occurred', {
    response: new Response(json, { status, headers }),
    body: json,
  });
};
