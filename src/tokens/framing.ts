import type { ModelFamily } from './models.ts';
import type { Quality } from './quality.ts';

export interface Framing {
  readonly perMessage: number;
  /** Added to the tokens of the name itself. */
  readonly perName: number;
  /** Every reply is primed with `<|start|>assistant<|message|>`. */
  readonly reply: number;
  readonly quality: Quality;
}

/** Framing of a call around its name and arguments: no official formula, 3 in most sources. */
export const PER_TOOL_CALL = 3;

/**
 * The OpenAI cookbook, "How to count tokens with tiktoken", checked there against the API up to
 * gpt-4o. For later models the same shape is assumed: no formula is published.
 */
const DOCUMENTED: Framing = { perMessage: 3, perName: 1, reply: 3, quality: 'exact' };
const ASSUMED: Framing = { ...DOCUMENTED, quality: 'estimated' };
/** The one model whose name replaced the role. */
const GPT_35_0301: Framing = { perMessage: 4, perName: -1, reply: 3, quality: 'exact' };

export function framingOf(family: ModelFamily): Framing {
  switch (family) {
    case 'gpt-3.5-0301':
      return GPT_35_0301;
    case 'gpt-3.5':
    case 'gpt-4':
    case 'gpt-4o':
      return DOCUMENTED;
    default:
      return ASSUMED;
  }
}
