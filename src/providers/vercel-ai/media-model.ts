import type { BilledUsage } from '../../domain/billed-usage.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import { tokenCount, usageOf } from '../../domain/token-counts.ts';
import {
  fields,
  isObject,
  listOf,
  objectAt,
  stringAt,
  type JsonObject,
} from '../../tokens/json.ts';
import { InputOnlyReader, type InputOnlyFacts } from '../input-only-reader.ts';
import { imageAttributes, transcriptionUsage } from '../openai/media.ts';
import { charactersOf } from '../openai/speech.ts';
import { streamed } from '../streamed.ts';
import { modelFacts } from './prompt.ts';
import { VendorReply } from './vendor-reply.ts';

const image = mediaModel('image_generation', imageFacts);
const video = mediaModel('video_generation', (reply) => ({ usage: mediaUsage(reply) }));
const speech = mediaModel('speech', speechFacts);
const transcription = mediaModel('transcription', transcriptionFacts);
const streamedSpeech = streamed(speech);
const streamedTranscription = streamed(transcription);

/** `doGenerate` of models other than language models: whole replies, without text to count. */
export function mediaShape(options: unknown): CallShape {
  const { audio, text, fps, duration } = fields(options);
  if (audio !== undefined) return transcription;
  if (text !== undefined) return speech;
  return fps === undefined && duration === undefined ? image : video;
}

/** `doStream` of models of transcription and speech, whose last part has everything. */
export function streamedMediaShape(options: unknown): CallShape {
  return fields(options)['audio'] === undefined ? streamedSpeech : streamedTranscription;
}

function mediaModel(
  operation: string,
  factsOf: (reply: JsonObject, request: JsonObject) => InputOnlyFacts,
): CallShape {
  return {
    operation,
    inputOnly: true,
    request: modelFacts,
    reader: (options) =>
      new InputOnlyReader(
        options,
        (reply) => ({
          ...factsOf(fields(reply), fields(options.request)),
          responseModel: stringAt(objectAt(reply, 'response'), 'modelId'),
        }),
        isFinish,
      ),
    countable: () => ({ kind: 'unknown' }),
  };
}

function isFinish(part: unknown): boolean {
  return stringAt(part, 'type') === 'finish';
}

/** The package of OpenAI has the parts of the input, and what the price depends on, in metadata of each image. */
function imageFacts(reply: JsonObject): InputOnlyFacts {
  const details = Object.values(fields(reply['providerMetadata']))
    .flatMap((member) => listOf(fields(member)['images']))
    .filter(isObject);
  const counts = details.flatMap(({ imageTokens }) => tokenCount(imageTokens) ?? []);
  const images = listOf(reply['images']).length;
  const vendor = new VendorReply({
    raw: undefined,
    providerMetadata: reply['providerMetadata'],
    body: undefined,
    request: undefined,
    model: undefined,
  });
  return {
    usage: mediaUsage(reply, {
      ...vendor.extras(),
      ...(counts.length > 0 && { imageInputTokens: counts.reduce((sum, count) => sum + count, 0) }),
      ...(images > 0 && { generatedImages: images }),
    }),
    attributes: imageAttributes(details[0]),
    serviceTier: vendor.serviceTier(),
  };
}

/** Billed by the character of the text, of which a reply says nothing. */
function speechFacts(reply: JsonObject, { text }: JsonObject): InputOnlyFacts {
  const characters = typeof text === 'string' ? charactersOf(text) : 0;
  return { usage: mediaUsage(reply, characters === 0 ? {} : { inputCharacters: characters }) };
}

/** Billed by tokens or by the second, which the vendor's usage shows; packages without it know the seconds. */
function transcriptionFacts(reply: JsonObject): InputOnlyFacts {
  const { usage, durationInSeconds: seconds } = reply;
  const reported = usage ?? fields(fields(reply['response'])['body'])['usage'];
  return {
    usage:
      transcriptionUsage(reported) ??
      (typeof seconds === 'number' && seconds >= 0 ? { audioInputSeconds: seconds } : undefined),
  };
}

function mediaUsage(reply: JsonObject, kinds: BilledUsage = {}): BilledUsage | undefined {
  const { inputTokens, outputTokens } = fields(reply['usage']);
  return usageOf({
    inputTokens: tokenCount(inputTokens),
    outputTokens: tokenCount(outputTokens),
    cacheReadTokens: undefined,
    cacheWriteTokens: undefined,
    reasoningTokens: undefined,
    ...kinds,
  });
}
