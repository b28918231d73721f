import type { CallShape } from '../domain/call-shape.ts';

/** The same kind of call, asked for as a stream. */
export function streamed(shape: CallShape): CallShape {
  return { ...shape, request: (request) => ({ ...shape.request(request), stream: true }) };
}
