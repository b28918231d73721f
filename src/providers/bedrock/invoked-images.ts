import type { ReadOptions } from '../../domain/reply-reader.ts';
import { ATTR_IMAGE } from '../../otel/semconv.ts';
import { isObject, listOf, objectAt, present, type JsonObject } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';

/** Images of Nova, Titan and Stability (`images`), or of older models of Stability (`artifacts`). */
export function isImageReply(body: JsonObject): boolean {
  return Array.isArray(body['images']) || Array.isArray(body['artifacts']);
}

/** Reads the number of images; in place of one that a filter held back there is none. `request`: the model's body. */
export function invokedImagesReader(options: ReadOptions, request: unknown): InputOnlyReader {
  return new InputOnlyReader(options, (reply) => {
    const { images, artifacts } = isObject(reply) ? reply : {};
    const generatedImages = [...listOf(images), ...listOf(artifacts)].filter(Boolean).length;
    const config = objectAt(request, 'imageGenerationConfig');
    const [width, height, quality] = [config?.['width'], config?.['height'], config?.['quality']];
    return {
      usage: generatedImages === 0 ? undefined : { generatedImages },
      attributes: present({
        [ATTR_IMAGE.size]:
          typeof width === 'number' && typeof height === 'number'
            ? `${width}x${height}`
            : undefined,
        [ATTR_IMAGE.quality]: typeof quality === 'string' ? quality : undefined,
      }),
    };
  });
}
