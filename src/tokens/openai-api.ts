import { isObject } from './json.ts';

/** The two APIs of OpenAI bill tools, calls and replies differently. */
export type OpenAiApi = 'chat' | 'responses';

/** The API that a request is for, by its fields; `undefined` where neither has them. */
export function apiOf(request: unknown): OpenAiApi | undefined {
  if (!isObject(request)) return undefined;
  if (Array.isArray(request['messages'])) return 'chat';
  const { input } = request;
  return typeof input === 'string' || Array.isArray(input) ? 'responses' : undefined;
}
