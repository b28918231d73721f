import type { CallShape } from './provider.ts';

/** The same kind of call, asked for as a stream. */
export function streamed(shape: CallShape): CallShape {
  return { ...shape, request: (request) => ({ ...shape.request(request), stream: true }) };
}
