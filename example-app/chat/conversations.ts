import type { OpenAI } from 'openai';

type Message = OpenAI.ChatCompletionMessageParam;

interface Owner {
  readonly userId: string;
  readonly team?: string | undefined;
}

const MAX_CONVERSATIONS = 1000;
/** Older messages are discarded. */
const MAX_MESSAGES = 60;

/** Message history in memory, bounded. A conversation belongs to the user and the team who started it. */
export class Conversations {
  readonly #byKey = new Map<string, readonly Message[]>();

  history(owner: Owner, conversationId: string): readonly Message[] {
    return this.#byKey.get(key(owner, conversationId)) ?? [];
  }

  add(owner: Owner, conversationId: string, ...messages: readonly Message[]): void {
    const at = key(owner, conversationId);
    const all = [...(this.#byKey.get(at) ?? []), ...messages].slice(-MAX_MESSAGES);
    // Deleting and setting again keeps the map in order of last use.
    this.#byKey.delete(at);
    this.#byKey.set(at, all);
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > MAX_CONVERSATIONS && oldest !== undefined) this.#byKey.delete(oldest);
  }
}

function key({ userId, team }: Owner, conversationId: string): string {
  return JSON.stringify([userId, team, conversationId]);
}
