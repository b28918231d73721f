import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

export interface RecordedToolCall {
  readonly id?: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface RecordedMessage {
  readonly role: string;
  readonly content?: string | null;
  readonly tool_calls?: readonly RecordedToolCall[];
  readonly tool_call_id?: string;
}

/** A conversation in Chat Completions format. Every assistant turn was one call. */
export interface RecordedConversation {
  readonly id: string;
  readonly messages: readonly RecordedMessage[];
  readonly tools?: readonly unknown[];
}

/**
 * Reads one conversation per line. Throws an error with file and line for invalid ones, and the
 * file system's error if there is no file.
 */
export async function readConversations(path: string): Promise<readonly RecordedConversation[]> {
  const conversations: RecordedConversation[] = [];
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() !== '') conversations.push(parse(line, `${path}:${number}`));
  }
  return conversations;
}

function parse(line: string, place: string): RecordedConversation {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error(`${place}: not JSON`, { cause });
  }
  const { id, messages } = (value ?? {}) as Partial<RecordedConversation>;
  if (typeof id !== 'string' || !Array.isArray(messages)) {
    throw new Error(
      `${place}: not a conversation; allowed: {"id": "…", "messages": [{"role": …}]}`,
    );
  }
  return value as RecordedConversation;
}

/** Recorded conversations that the demo model replays. */
export class KnownConversations {
  readonly #byId: ReadonlyMap<string, RecordedConversation>;

  constructor(conversations: readonly RecordedConversation[] = []) {
    this.#byId = new Map(conversations.map((conversation) => [conversation.id, conversation]));
  }

  /** The assistant's turn after these messages, if the conversation is recorded. */
  next(id: string | undefined, messageCount: number): RecordedMessage | undefined {
    const turn = id === undefined ? undefined : this.#byId.get(id)?.messages[messageCount];
    return turn?.role === 'assistant' ? turn : undefined;
  }
}
