import type { MakeRefusal } from '../refused-call.ts';

/** By these the AI SDK knows its errors, also those of another copy. */
const ERROR = Symbol.for('vercel.ai.error');
const API_CALL_ERROR = Symbol.for('vercel.ai.error.AI_APICallError');

/** An `APICallError` that is not worth a retry; the class is in a package that cannot be reached from here. */
export const apiCallError: MakeRefusal = ({ status, message, body, headers }) =>
  Object.assign(new Error(message), {
    [ERROR]: true,
    [API_CALL_ERROR]: true,
    name: 'AI_APICallError',
    url: '',
    requestBodyValues: {},
    statusCode: status,
    responseHeaders: Object.fromEntries(headers),
    responseBody: JSON.stringify(body),
    isRetryable: false,
    data: body,
  });
