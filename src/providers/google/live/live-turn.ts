import type { CallShape } from '../../../domain/call-shape.ts';
import type { BilledUsage } from '../../../domain/billed-usage.ts';
import type { ReadOptions, ReplyReader } from '../../../domain/reply-reader.ts';
import type { Reply } from '../../../domain/reply.ts';
import { fields, isObject, objectAt, stringAt } from '../../../tokens/json.ts';
import { streamed } from '../../streamed.ts';
import { modelName } from '../generate-request.ts';
import { Grounding } from '../grounding.ts';
import { googleTier, googleUsage } from '../usage.ts';

/**
 * What the model generates in a live session until its turn is complete or it calls a tool. The input is the
 * conversation that the server has, most of it audio: where its tokens are not reported they are unknown.
 */
export const liveTurn: CallShape = streamed({
  operation: 'generate_content',
  request: (request) => ({ model: modelName(request) }),
  reader: (options) => new LiveTurnReader(options),
  countable: () => ({ kind: 'unknown' }),
});

class LiveTurnReader implements ReplyReader {
  readonly #options: ReadOptions;
  readonly #grounding = new Grounding();
  #usage: unknown;
  #isComplete = false;
  #isInterrupted = false;
  #reason: string | undefined;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  whole(message: unknown): void {
    this.event(message);
  }

  event(message: unknown): void {
    const { serverContent, toolCall, usageMetadata } = fields(message);
    const content = fields(serverContent);
    this.#grounding.add(content['groundingMetadata']);
    if (isObject(usageMetadata)) this.#usage = usageMetadata;
    if (content['interrupted'] === true) this.#isInterrupted = true;
    this.#reason = stringAt(content, 'turnCompleteReason') ?? this.#reason;
    if (endsTurn(message)) this.#isComplete = true;
    if (toolCall !== undefined) this.#reason ??= 'TOOL_CALL';
  }

  /** Without the grounding, which is billed for what is generated. */
  result(): Reply {
    return {
      usage: this.#options.usage ? this.#billed() : undefined,
      finishReasons: this.#isComplete
        ? [this.#reason ?? (this.#isInterrupted ? 'INTERRUPTED' : 'STOP')]
        : undefined,
      closed: this.#isComplete,
      cancelled: this.#isInterrupted,
      outputs: [],
      serviceTier: googleTier(this.#usage),
    };
  }

  #billed(): BilledUsage | undefined {
    const tokens = liveUsage(this.#usage);
    return (
      tokens && { ...tokens, ...this.#grounding.uses(stringAt(this.#options.request, 'model')) }
    );
  }
}

/** Whether the model generates nothing more before it is answered. */
export function endsTurn(message: unknown): boolean {
  const { serverContent, toolCall } = fields(message);
  return fields(serverContent)['turnComplete'] === true || toolCall !== undefined;
}

/** Whether the model has generated something of this message. */
export function isGenerated(message: unknown): boolean {
  const { toolCall } = fields(message);
  const content = objectAt(message, 'serverContent');
  return (
    toolCall !== undefined ||
    content?.['modelTurn'] !== undefined ||
    content?.['outputTranscription'] !== undefined
  );
}

/** The names of generateContent for what live sessions call the response. */
function liveUsage(usage: unknown): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  const { responseTokenCount, responseTokensDetails } = usage;
  return googleUsage({
    ...usage,
    candidatesTokenCount: responseTokenCount ?? usage['candidatesTokenCount'],
    candidatesTokensDetails: responseTokensDetails ?? usage['candidatesTokensDetails'],
  });
}
