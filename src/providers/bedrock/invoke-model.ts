import { isObject, listOf, stringAt, type JsonObject } from '../../tokens/json.ts';
import { namesAny } from '../hidden-input.ts';
import { MessagesReader } from '../anthropic/messages-reader.ts';
import { messagesCountable } from '../anthropic/messages-request.ts';
import { chatCompletions } from '../openai/chat-completions.ts';
import type { CallShape, CountableInput } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { converseCountable, ConverseReader } from './converse.ts';
import { invokedImagesReader, isImageReply } from './invoked-images.ts';
import { InvokedCompletionReader } from './invoked-completion-reader.ts';
import { headerUsage, invocationMetrics } from './usage.ts';

const chat = chatCompletions();

/** `input` is the command's: model id and the body in the model's own format, as JSON. */
export const invokeModel: CallShape = {
  operation: 'chat',
  request: (input) => ({ model: stringAt(input, 'modelId') }),
  reader: (options) => new InvokeModelReader(options),
  countable: invokeCountable,
};

const embedding: CallShape = { ...invokeModel, operation: 'embeddings', inputOnly: true };

/** Billed by the image or the query: what tokens a prompt has is nobody's count. */
const image: CallShape = {
  ...invokeModel,
  operation: 'image_generation',
  inputOnly: true,
  countable: () => ({ kind: 'unknown' }),
};
const rerank: CallShape = { ...image, operation: 'rerank' };

/** Told apart by the model: a body may be large, and is read after the call. */
export function invokeShape(input: unknown): CallShape {
  const modelId = stringAt(input, 'modelId') ?? '';
  if (/rerank/.test(modelId)) return rerank;
  if (/embed/.test(modelId)) return embedding;
  return /\bstability\.|image|canvas/.test(modelId) ? image : invokeModel;
}

/** A whole reply of InvokeModel, with the headers it came with. */
interface InvokeReply {
  readonly output: unknown;
  readonly headers: unknown;
}

/** Reads the body in whichever format the model's maker has; told from its keys, not the model id. */
class InvokeModelReader implements ReplyReader {
  readonly #options: ReadOptions;
  #reader: ReplyReader | undefined;
  #metrics: unknown;
  #headers: unknown;
  #requestId: string | undefined;
  #serviceTier: string | undefined;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  whole(reply: unknown): void {
    const { output, headers } = reply as InvokeReply;
    this.#headers = headers;
    if (!isObject(output)) return;
    this.#serviceTier =
      stringAt(output, 'performanceConfigLatency') === 'optimized'
        ? 'optimized_latency'
        : stringAt(output, 'serviceTier');
    this.#requestId = isObject(output['$metadata'])
      ? stringAt(output['$metadata'], 'requestId')
      : undefined;
    const body = jsonOf(output['body']);
    if (body === undefined) return;
    this.#readerFor(body).whole(body);
  }

  event(event: unknown): void {
    const chunk = isObject(event) && isObject(event['chunk']) ? event['chunk'] : undefined;
    const body = jsonOf(chunk?.['bytes']);
    if (body === undefined) return;
    this.#metrics = body['amazon-bedrock-invocationMetrics'] ?? this.#metrics;
    this.#reader ??= this.#readerFor(body);
    this.#reader.event(body);
  }

  result(): Reply {
    const reply = this.#reader?.result() ?? { closed: this.#headers !== undefined, outputs: [] };
    const { usage } = reply;
    const whole = usage?.final !== 'input' && usage?.outputTokens !== undefined;
    const elsewhere = this.#options.usage
      ? (invocationMetrics(this.#metrics) ?? headerUsage(this.#headers))
      : undefined;
    return {
      ...reply,
      usage: whole || usage?.generatedImages !== undefined ? usage : (elsewhere ?? usage),
      responseId: reply.responseId ?? this.#requestId,
      serviceTier: this.#serviceTier ?? reply.serviceTier,
      // The metrics come with the last chunk, whatever the format.
      closed: reply.closed || this.#metrics !== undefined,
    };
  }

  #readerFor(body: JsonObject): ReplyReader {
    this.#reader ??= readerOf(body, this.#options);
    return this.#reader;
  }
}

function readerOf(body: JsonObject, options: ReadOptions): ReplyReader {
  const { type } = body;
  if (isImageReply(body)) {
    const { request } = options;
    return invokedImagesReader(options, isObject(request) ? jsonOf(request['body']) : undefined);
  }
  if (type === 'message' || type === 'message_start') return new MessagesReader(options);
  if (Array.isArray(body['choices']) && !isTextChoice(body['choices'][0])) {
    return chat.reader(options);
  }
  if ('messageStart' in body || isObject(body['output'])) return new ConverseReader(options);
  return new InvokedCompletionReader(options);
}

/** DeepSeek's: `{ text }` in place of a message. */
function isTextChoice(choice: unknown): boolean {
  return stringAt(choice, 'text') !== undefined;
}

function invokeCountable(input: unknown): CountableInput {
  const body = isObject(input) ? jsonOf(input['body']) : undefined;
  if (body === undefined) return { kind: 'unknown' };
  if (Array.isArray(body['messages'])) {
    if ('anthropic_version' in body) return messagesCountable(body);
    const nova = listOf(body['messages']).some(
      (message) => isObject(message) && listOf(message['content']).some(isUntypedText),
    );
    return nova ? converseCountable(body) : { kind: 'chat', request: body };
  }
  const texts = [
    ...['system', 'prompt', 'inputText', 'message', 'preamble'].map((key) => body[key]),
    ...listOf(body['texts']),
    ...listOf(body['chat_history']).map((turn) => stringAt(turn, 'message')),
  ];
  return {
    kind: 'texts',
    texts: texts.filter((text) => typeof text === 'string'),
    tokens: 0,
    partial: namesAny(body, ['inputImage', 'images', 'documents']),
  };
}

/** Content blocks of Nova have no type: `{ text }`. */
function isUntypedText(block: unknown): boolean {
  return isObject(block) && 'text' in block && !('type' in block);
}

function jsonOf(body: unknown): JsonObject | undefined {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return undefined;
  const parsed: unknown = JSON.parse(
    typeof body === 'string' ? body : Buffer.from(body).toString(),
  );
  return isObject(parsed) ? parsed : undefined;
}
