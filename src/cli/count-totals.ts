import { countChat, countTokens, encodingForModel } from '../tokens/index.ts';
import type { PartName, Quality } from '../tokens/index.ts';
import { TokenMeterError } from '../errors.ts';
import { linesOf } from './count-input.ts';
import type { CountInput } from './count-input.ts';
import { textChunks } from './text-chunks.ts';

/** Half of V8's maximum string length. */
const DOCUMENT_MAX = 2 ** 28;

export interface CountTotals {
  readonly model: string;
  tokens: number;
  quality: Quality;
  /** Number of chats; absent for plain text. */
  chats?: number;
  /** Lines or documents that are not a chat and were skipped. */
  unreadable: number;
  readonly parts: Map<PartName, { tokens: number; quality: Quality }>;
}

/** Totals by model. `model` overrides the model of a chat. */
export async function countInput(
  input: CountInput,
  model: string | undefined,
  fallback: string,
): Promise<readonly CountTotals[]> {
  if (input.format === 'text') return [await countText(input.pieces, model ?? fallback)];
  const totals = new Map<string, CountTotals>();
  for await (const document of documents(input)) {
    const chat = toRequest(document);
    const name = model ?? (typeof chat?.['model'] === 'string' ? chat['model'] : fallback);
    const total = totals.get(name) ?? emptyTotals(name);
    totals.set(name, total);
    if (chat === undefined) {
      total.unreadable += 1;
      continue;
    }
    total.chats = (total.chats ?? 0) + 1;
    const counted = countChat(chat, name);
    for (const [part, { tokens, quality }] of Object.entries(counted.parts)) {
      add(total, part as PartName, tokens, quality);
    }
  }
  return [...totals.values()];
}

async function countText(pieces: AsyncIterable<string>, model: string): Promise<CountTotals> {
  const totals = emptyTotals(model);
  const { quality } = encodingForModel(model);
  add(totals, 'text', 0, quality);
  for await (const { text, exactCut } of textChunks(pieces)) {
    add(totals, 'text', countTokens(text, model), exactCut ? quality : 'estimated');
  }
  return totals;
}

function emptyTotals(model: string): CountTotals {
  return { model, tokens: 0, quality: 'exact', unreadable: 0, parts: new Map() };
}

function add(totals: CountTotals, part: PartName, tokens: number, quality: Quality): void {
  const entry = totals.parts.get(part) ?? { tokens: 0, quality: 'exact' };
  entry.tokens += tokens;
  if (quality === 'estimated') entry.quality = totals.quality = 'estimated';
  totals.parts.set(part, entry);
  totals.tokens += tokens;
}

/**
 * The document of a `json` input, or one per line of a `jsonl` input. `undefined` for invalid JSON.
 */
async function* documents(input: CountInput): AsyncGenerator<unknown> {
  if (input.format === 'jsonl') {
    for await (const line of linesOf(input.pieces)) if (line.trim() !== '') yield parse(line);
    return;
  }
  let text = '';
  for await (const piece of input.pieces) {
    text += piece;
    if (text.length > DOCUMENT_MAX) {
      throw new TokenMeterError(
        'INVALID_OPTION',
        'the JSON document is too large to be parsed at once',
        {
          allowed: 'JSONL with one chat per line for more than 256 M characters',
        },
      );
    }
  }
  const document = parse(text);
  // A list of messages is one chat; any other list is a list of chats.
  if (Array.isArray(document) && !document.some((item) => isObject(item) && 'role' in item)) {
    yield* document;
  } else {
    yield document;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A request, a list of messages, or a line of a batch file, which has the request as `body`. */
function toRequest(document: unknown): Record<string, unknown> | undefined {
  if (Array.isArray(document)) return { messages: document };
  if (!isObject(document)) return undefined;
  if ('messages' in document || 'input' in document) return document;
  return isObject(document['body']) ? toRequest(document['body']) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
