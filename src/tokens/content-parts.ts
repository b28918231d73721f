import { audioTokens } from './audio-tokens.ts';
import { Base64Bytes, isDataUrl } from './base64-bytes.ts';
import { imagePricingOf } from './image-pricing.ts';
import { readImageSize } from './image-size.ts';
import { imageTokens } from './image-tokens.ts';
import { isObject, objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import type { ModelProfile } from './models.ts';
import type { Tally } from './tally.ts';

/** Content of a message: a string, or a list of parts. */
export function addContent(tally: Tally, content: unknown, model: ModelProfile): void {
  if (content === undefined || content === null) return;
  for (const part of Array.isArray(content) ? content : [content]) addPart(tally, part, model);
}

function addPart(tally: Tally, part: unknown, model: ModelProfile): void {
  const text =
    typeof part === 'string' ? part : (stringAt(part, 'text') ?? stringAt(part, 'refusal'));
  if (text !== undefined) tally.addText('text', text);
  else if (isObject(part)) addMedia(tally, part, model);
  else tally.addText('text', toJson(part), 'estimated');
}

function addMedia(tally: Tally, part: JsonObject, model: ModelProfile): void {
  if ('image_url' in part || part['type'] === 'input_image') {
    addImage(tally, part, model);
  } else if ('input_audio' in part) {
    addAudio(tally, objectAt(part, 'input_audio'));
  } else if ('file' in part || part['type'] === 'input_file') {
    addFile(tally, objectAt(part, 'file') ?? part);
  } else {
    tally.addText('text', toJson(part), 'estimated');
  }
}

/** `image_url` is an object in Chat Completions, a string in Responses. */
function addImage(tally: Tally, part: JsonObject, model: ModelProfile): void {
  const image = objectAt(part, 'image_url') ?? part;
  const url = stringAt(image, 'url') ?? stringAt(image, 'image_url');
  const size =
    url !== undefined && isDataUrl(url) ? readImageSize(new Base64Bytes(url)) : undefined;
  const detail = stringAt(image, 'detail');
  const { tokens, quality } = imageTokens(imagePricingOf(model.name), size, detail);
  tally.addTokens('images', tokens, quality);
}

function addAudio(tally: Tally, audio: JsonObject | undefined): void {
  const data = stringAt(audio, 'data');
  tally.addTokens('audio', data === undefined ? 0 : audioTokens(data), 'estimated');
}

/**
 * Text files are counted by their text. A PDF (its text plus one image per page) and a file
 * referenced by id can only be counted by the provider: they add no tokens and are `estimated`.
 */
function addFile(tally: Tally, file: JsonObject): void {
  tally.addText('files', stringAt(file, 'filename') ?? '', 'estimated');
  const data = stringAt(file, 'file_data');
  if (data === undefined || !/^data:(?:text\/|application\/json)/i.test(data)) return;
  const bytes = new Base64Bytes(data);
  tally.addText('files', bytes.read(0, bytes.length).toString(), 'estimated');
}
