/** Pieces of a chat completions request, the one shape in which input is counted. */

export function textPart(text: unknown): object {
  return { type: 'text', text };
}

/** `data` is base64; without it `url` is taken. */
export function imagePart(image: {
  readonly data?: string | undefined;
  readonly mediaType?: string | undefined;
  readonly url?: string | undefined;
}): object {
  const inline =
    image.data === undefined
      ? undefined
      : `data:${image.mediaType ?? 'image/png'};base64,${image.data}`;
  return { type: 'image_url', image_url: { url: inline ?? image.url ?? '' } };
}

/** A document, audio or video, in base64. */
export function filePart(
  filename: string | undefined,
  mediaType: string | undefined,
  data: string,
): object {
  return { type: 'file', file: { filename, file_data: `data:${mediaType ?? ''};base64,${data}` } };
}

/** `args`: JSON text as sent, or the value it stands for. */
export function toolCall(name: unknown, args: unknown): object {
  const text = typeof args === 'string' ? args : JSON.stringify(args ?? {});
  return { type: 'function', function: { name, arguments: text } };
}

export function toolDefinition(name: unknown, description: unknown, parameters: unknown): object {
  return { type: 'function', function: { name, description, parameters } };
}
