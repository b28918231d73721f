import { countTallied } from './count.ts';
import { PER_TOOL_CALL } from './framing.ts';
import { profileOfModel } from './models.ts';
import { Tally, type TokenCount } from './tally.ts';

/** Output of a model, collected from its reply. */
export interface CompletionOutput {
  readonly text?: string | undefined;
  readonly reasoning?: string | undefined;
  readonly refusal?: string | undefined;
  readonly toolCalls?: readonly CompletionToolCall[] | undefined;
}

export interface CompletionToolCall {
  readonly name: string;
  /** JSON text, as received. */
  readonly arguments: string;
}

/**
 * Output tokens of a reply. Only plain text in the model's own vocabulary is exact. Reasoning is
 * `estimated`, since the billed tokens differ from the shown ones, and so is the framing of tool
 * calls.
 */
export function countCompletion(output: CompletionOutput, model?: string): TokenCount {
  return countTallied(tallyCompletion(output, model));
}

/** Collects everything `output` contains, without counting it. */
export function tallyCompletion(output: CompletionOutput, model?: string): Tally {
  const tally = new Tally(profileOfModel(model));
  try {
    if (typeof output.text === 'string') tally.addText('text', output.text);
    if (typeof output.refusal === 'string') tally.addText('text', output.refusal);
    if (typeof output.reasoning === 'string') {
      tally.addText('reasoning', output.reasoning, 'estimated');
    }
    for (const call of output.toolCalls ?? []) {
      tally.addText('toolCalls', String(call.name), 'estimated');
      tally.addText('toolCalls', String(call.arguments), 'estimated');
      tally.addTokens('toolCalls', PER_TOOL_CALL, 'estimated');
    }
  } catch {
    // A getter or a proxy in the caller's object threw.
    tally.addTokens('text', 0, 'estimated');
  }
  return tally;
}
