import { audioTokens } from './audio-tokens.ts';
import { Base64Bytes, isDataUrl } from './base64-bytes.ts';
import { imagePricingOf } from './image-pricing.ts';
import { readImageSize } from './image-size.ts';
import { imageTokens } from './image-tokens.ts';
import { isObject, objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import { mediaTokens } from './media-tokens.ts';
import type { ModelProfile } from './models.ts';
import type { Tally } from './tally.ts';

/**
 * Content of a message: a string, or a list of parts. Measured: texts that follow each other are one
 * text, without a break.
 */
export function addContent(tally: Tally, content: unknown, model: ModelProfile): void {
  if (content === undefined || content === null) return;
  let texts: string[] = [];
  for (const part of Array.isArray(content) ? content : [content]) {
    const text = textOf(part);
    if (text !== undefined) {
      texts.push(text);
      continue;
    }
    addTexts(tally, texts);
    texts = [];
    if (isObject(part)) addMedia(tally, part, model);
    else tally.addText('text', toJson(part), 'estimated');
  }
  addTexts(tally, texts);
}

function textOf(part: unknown): string | undefined {
  if (typeof part === 'string') return part;
  return stringAt(part, 'text') ?? stringAt(part, 'refusal');
}

function addTexts(tally: Tally, texts: readonly string[]): void {
  const [only] = texts;
  if (only !== undefined) tally.addText('text', texts.length === 1 ? only : texts.join(''));
}

function addMedia(tally: Tally, part: JsonObject, model: ModelProfile): void {
  if ('image_url' in part || part['type'] === 'input_image') {
    addImage(tally, part, model);
  } else if ('input_audio' in part) {
    addAudio(tally, objectAt(part, 'input_audio'));
  } else if ('file' in part || part['type'] === 'input_file') {
    addFile(tally, objectAt(part, 'file') ?? part, model);
  } else {
    tally.addText('text', withoutData(part), 'estimated');
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

/** JSON of a part that is not known, without data in base64, which no provider bills as text. */
function withoutData(part: JsonObject): string {
  try {
    return JSON.stringify(part, (_, value: unknown) => (isData(value) ? '' : value)) ?? '';
  } catch {
    return '';
  }
}

const DATA_FROM = 512;

function isData(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.length >= DATA_FROM &&
    /^[\w+/=-]+$/.test(value.slice(0, DATA_FROM))
  );
}

/**
 * Text files are counted by their text, PDFs by their pages, audio of Gemini by its seconds. A file referenced by id can only be counted by the provider: it adds no
 * tokens and is `estimated`.
 */
function addFile(tally: Tally, file: JsonObject, { name }: ModelProfile): void {
  tally.addText('files', stringAt(file, 'filename') ?? '', 'estimated');
  const data = stringAt(file, 'file_data');
  if (data === undefined) return;
  const bytes = new Base64Bytes(data);
  if (/^data:(?:text\/|application\/json)/i.test(data)) {
    tally.addText('files', bytes.read(0, bytes.length).toString(), 'estimated');
  } else {
    tally.addTokens('files', mediaTokens(data, bytes, name), 'estimated');
  }
}
