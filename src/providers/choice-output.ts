import type { CompletionOutput } from '../tokens/index.ts';

interface ToolCall {
  name: string;
  arguments: string;
}

/** What one choice of a reply has said so far, appended piece by piece. */
export class ChoiceOutput {
  #text = '';
  #reasoning = '';
  #refusal = '';
  #toolCalls: Map<number | string, ToolCall> | undefined;

  addText(piece: unknown): void {
    if (typeof piece === 'string') this.#text += piece;
  }

  addReasoning(piece: unknown): void {
    if (typeof piece === 'string') this.#reasoning += piece;
  }

  addRefusal(piece: unknown): void {
    if (typeof piece === 'string') this.#refusal += piece;
  }

  /** `key`: index or id under which the pieces of one tool call arrive. */
  addToolCall(key: number | string, name: unknown, pieceOfArguments: unknown): void {
    this.#toolCalls ??= new Map();
    let call = this.#toolCalls.get(key);
    if (call === undefined) this.#toolCalls.set(key, (call = { name: '', arguments: '' }));
    if (typeof name === 'string') call.name += name;
    if (typeof pieceOfArguments === 'string') call.arguments += pieceOfArguments;
  }

  result(): CompletionOutput {
    const output: { -readonly [K in keyof CompletionOutput]: CompletionOutput[K] } = {};
    if (this.#text !== '') output.text = this.#text;
    if (this.#reasoning !== '') output.reasoning = this.#reasoning;
    if (this.#refusal !== '') output.refusal = this.#refusal;
    if (this.#toolCalls !== undefined) output.toolCalls = [...this.#toolCalls.values()];
    return output;
  }
}
