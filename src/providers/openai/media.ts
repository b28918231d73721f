import type { CallShape } from '../../domain/call-shape.ts';
import type { ReportedUsage } from '../../domain/reported-usage.ts';
import type { RequestFacts } from '../../domain/request-facts.ts';
import { fields, listOf, present, stringAt, text } from '../../tokens/json.ts';
import { ATTR_IMAGE } from '../../otel/semconv.ts';
import { tokenCount } from '../../domain/token-counts.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import { openaiRequest } from './request.ts';
import { responsesUsage } from './usage.ts';

/** `/images/generations` and `/images/edits`. */
export const images: CallShape = {
  operation: 'image_generation',
  inputOnly: true,
  request: imageRequest,
  reader: (options) =>
    new InputOnlyReader(
      options,
      (reply) => ({ usage: imageUsage(reply), attributes: imageAttributes(reply) }),
      isCompletedImage,
    ),
  // Billed by the size and quality of the image.
  countable: () => ({ kind: 'unknown' }),
};

/** `/audio/transcriptions` and `/audio/translations`; some models are billed by tokens, some by seconds. */
export const transcription: CallShape = transcriptionOf();

/** `leastSeconds`: those that are billed of any shorter audio. */
export function transcriptionOf({
  leastSeconds = 0,
}: { readonly leastSeconds?: number } = {}): CallShape {
  return {
    operation: 'transcription',
    inputOnly: true,
    request: mediaRequest,
    reader: (options) =>
      new InputOnlyReader(
        options,
        (reply) => {
          const usage = transcriptionUsage(fields(reply)['usage']) ?? spokenSeconds(reply);
          const seconds = usage?.audioInputSeconds;
          return {
            usage:
              seconds === undefined || seconds >= leastSeconds
                ? usage
                : { ...usage, audioInputSeconds: leastSeconds },
          };
        },
        isTranscript,
      ),
    countable: () => ({ kind: 'unknown' }),
  };
}

/** Ends a stream; in a realtime session it is the transcript of one turn. */
function isTranscript(event: unknown): boolean {
  const type = stringAt(event, 'type');
  return (
    type === 'transcript.text.done' ||
    type === 'conversation.item.input_audio_transcription.completed'
  );
}

/** A request with a file is a form. */
function mediaRequest(request: unknown): RequestFacts {
  if (!(request instanceof FormData)) return openaiRequest(request);
  return {
    model: text(request.get('model')),
    stream: request.get('stream') === 'true',
    userId: text(request.get('user')),
  };
}

function imageRequest(request: unknown): RequestFacts {
  const attributes =
    request instanceof FormData
      ? imageAttributes({ size: request.get('size'), quality: request.get('quality') })
      : imageAttributes(request);
  return { ...mediaRequest(request), attributes };
}

/** What the price of an image depends on. */
export function imageAttributes(of: unknown): Record<string, string> {
  return present({
    [ATTR_IMAGE.size]: text(fields(of)['size']),
    [ATTR_IMAGE.quality]: text(fields(of)['quality']),
  });
}

function isCompletedImage(event: unknown): boolean {
  return /^image_(?:generation|edit)\.completed$/.test(stringAt(event, 'type') ?? '');
}

function imageUsage(reply: unknown): ReportedUsage | undefined {
  const { data, usage } = fields(reply);
  const generatedImages = isCompletedImage(reply) ? 1 : listOf(data).length;
  return present({
    ...responsesUsage(usage),
    generatedImages: generatedImages === 0 ? undefined : generatedImages,
  });
}

/** Groq and Together report the length of the audio where the reply is asked for as `verbose_json`. */
function spokenSeconds(reply: unknown): ReportedUsage | undefined {
  const { duration } = fields(reply);
  return typeof duration === 'number' && duration > 0 ? { audioInputSeconds: duration } : undefined;
}

/** `usage` of a transcription: by tokens, or by seconds. */
export function transcriptionUsage(reported: unknown): ReportedUsage | undefined {
  const usage = fields(reported);
  if (usage['type'] === 'duration') {
    const { seconds } = usage;
    return typeof seconds === 'number' && seconds >= 0 ? { audioInputSeconds: seconds } : undefined;
  }
  const tokens = responsesUsage(reported);
  const audio = tokenCount(fields(usage['input_token_details'])['audio_tokens']);
  return tokens === undefined ? undefined : present({ ...tokens, audioInputTokens: audio });
}
