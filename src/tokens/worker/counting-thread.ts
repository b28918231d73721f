import { parentPort } from 'node:worker_threads';
import { counterFor } from '../encodings.ts';
import type { CountReply, CountRequest } from './messages.ts';

/** Entry point of the worker thread. */
const texts = new Map<number, string>();

parentPort?.on('message', ({ id, encoding, part, last }: CountRequest) => {
  const text = (texts.get(id) ?? '') + part;
  if (!last) {
    texts.set(id, text);
    return;
  }
  texts.delete(id);
  parentPort?.postMessage(count(id, encoding, text));
});

function count(id: number, encoding: string, text: string): CountReply {
  try {
    return { id, tokens: counterFor(encoding).count(text) };
  } catch (error) {
    return { id, error: String(error) };
  }
}
