import { isObject } from '../tokens/json.ts';

/** A code, and no sentence: messages may quote content. */
const CODE = /^[\w.:-]{1,64}$/;

/** The code of an `error` that stands in a reply which arrived with status 200. */
export function failureIn(reply: unknown): string | undefined {
  const error = isObject(reply) ? reply['error'] : undefined;
  if (error === undefined || error === null || error === false) return undefined;
  if (!isObject(error)) return 'error';
  for (const value of [error['code'], error['type'], error['status']]) {
    const code = typeof value === 'number' ? String(value) : value;
    if (typeof code === 'string' && CODE.test(code)) return code;
  }
  return 'error';
}
