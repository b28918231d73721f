import type { CompletionOutput } from '../tokens/index.ts';
import { ChoiceOutput } from './choice-output.ts';

/**
 * Puts the pieces of a reply together, one output a choice. Pieces come straight from events, so
 * anything but text is ignored. With `keep` false nothing is held.
 */
export class GatheredOutput {
  readonly #keep: boolean;
  readonly #choices = new Map<number, ChoiceOutput>();

  constructor(keep: boolean) {
    this.#keep = keep;
  }

  text(piece: unknown, choice = 0): void {
    if (this.#keep && piece !== undefined) this.#choice(choice).addText(piece);
  }

  reasoning(piece: unknown, choice = 0): void {
    if (this.#keep && piece !== undefined) this.#choice(choice).addReasoning(piece);
  }

  /** `key` tells the calls of one choice apart. Arguments that are no text are taken as JSON. */
  tool(key: string | number, name: unknown, args: unknown, choice = 0): void {
    if (!this.#keep) return;
    const text = typeof args === 'string' ? args : JSON.stringify(args ?? undefined);
    this.#choice(choice).addToolCall(key, name, text);
  }

  outputs(): readonly CompletionOutput[] {
    return [...this.#choices.values()].map((choice) => choice.result());
  }

  #choice(index: number): ChoiceOutput {
    let choice = this.#choices.get(index);
    if (choice === undefined) this.#choices.set(index, (choice = new ChoiceOutput()));
    return choice;
  }
}
