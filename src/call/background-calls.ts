/** Calls that wait at one time; beyond, the oldest ends as it is. */
const WAITING_MAX = 1000;

/**
 * Calls that the provider works on after it has answered: their usage comes when the reply is fetched by
 * its id. Each is still one call, from the request to the reply that is whole.
 */
export class BackgroundCalls<Call extends { abandon(): void }> {
  readonly #waiting = new Map<string, Call>();

  add(responseId: string, call: Call): void {
    this.#waiting.set(responseId, call);
    if (this.#waiting.size <= WAITING_MAX) return;
    const [[oldestId, oldest] = []] = this.#waiting;
    if (oldestId !== undefined) this.#waiting.delete(oldestId);
    oldest?.abandon();
  }

  get(responseId: string): Call | undefined {
    return this.#waiting.get(responseId);
  }

  ended(responseId: string): void {
    this.#waiting.delete(responseId);
  }

  /** Nobody may ever fetch them. */
  abandonAll(): void {
    const calls = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const call of calls) call.abandon();
  }
}
