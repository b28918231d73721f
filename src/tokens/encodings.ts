import { ApproximateCounter } from './approximate-counter.ts';
import { CachedCounter } from './cached-counter.ts';
import { loadBuiltIn } from './engine/load.ts';
import { MessageCache } from './message-cache.ts';
import { NEWEST } from './models.ts';
import type { Quality } from './quality.ts';
import { createTextHasher } from './text-hasher.ts';
import { loadTiktokenCounter } from './tiktoken-counter.ts';
import type { TextCounter } from './text-counter.ts';
import { isAvailable, isFileVocabulary, loadFileVocabulary } from './vendor/vocabulary-files.ts';
import { warnOnce } from './warnings.ts';

/** These differ from their value only in special tokens, which user text never contains. */
const SAME_TEXT_TOKENS: Readonly<Record<string, string>> = {
  o200k_harmony: 'o200k_base',
  p50k_edit: 'p50k_base',
  gpt2: 'r50k_base',
};

const counters = new Map<string, TextCounter>();
const messageCounters = new Map<string, CachedCounter>();
let messages: MessageCache | undefined;

/** Counter of an encoding, loaded on first use and cached. */
export function counterFor(encoding: string): TextCounter {
  const name = sameText(encoding);
  let counter = counters.get(name);
  if (counter === undefined) {
    counter = load(name);
    counters.set(name, counter);
  }
  return counter;
}

/** The same with a cache, for the history that a chat sends with every turn. */
export function messageCounterFor(encoding: string): CachedCounter {
  let counter = messageCounters.get(encoding);
  if (counter === undefined) {
    messages ??= new MessageCache({ hasher: createTextHasher() });
    counter = new CachedCounter(
      (text) => counterFor(encoding).count(text),
      messages,
      messageCounters.size,
    );
    messageCounters.set(encoding, counter);
  }
  return counter;
}

/** Whether loading an encoding would block the event loop, so that it belongs in a worker. */
export function loadsSlowly(encoding: string): boolean {
  return isFileVocabulary(encoding);
}

/** `estimated` when a substitute was used for the vocabulary. Reflects counts made so far. */
export function qualityOfEncoding(encoding: string): Quality {
  if (isFileVocabulary(encoding)) return isAvailable(encoding) ? 'exact' : 'estimated';
  return counters.get(sameText(encoding)) instanceof ApproximateCounter ? 'estimated' : 'exact';
}

const sameText = (encoding: string): string => SAME_TEXT_TOKENS[encoding] ?? encoding;

/** Fallback to tiktoken, for encodings that the engine lacks and for bundles without the data files. */
function load(name: string): TextCounter {
  if (isFileVocabulary(name)) return loadFile(name);
  try {
    const engine = loadBuiltIn(name);
    if (engine !== undefined) return engine;
  } catch (error) {
    warnOnce('engine', `The token engine did not load, tiktoken counts instead: ${String(error)}`);
  }
  try {
    return loadTiktokenCounter(name);
  } catch (error) {
    warnOnce('tiktoken', `Tokens are estimated by length, tiktoken did not load: ${String(error)}`);
    return new ApproximateCounter();
  }
}

function loadFile(name: string): TextCounter {
  try {
    return loadFileVocabulary(name);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warnOnce(`file:${name}`, `Tokens of ${name} are estimated with ${NEWEST}: ${reason}`);
    return counterFor(NEWEST);
  }
}
