import type { ModelFamily } from './models.ts';
import type { Quality } from './quality.ts';

export interface Framing {
  readonly perMessage: number;
  /** Added to the tokens of the name. */
  readonly perName: number;
  /** Every reply is primed with `<|start|>assistant<|message|>`. */
  readonly reply: number;
  readonly quality: Quality;
}

/**
 * Framing of a tool call, in addition to name and arguments. There is no official formula; most
 * sources use 3.
 */
export const PER_TOOL_CALL = 3;

/**
 * From the OpenAI cookbook, "How to count tokens with tiktoken", which verifies it against the API
 * up to gpt-4o. Later models are assumed to behave the same: no formula is published.
 */
const DOCUMENTED: Framing = { perMessage: 3, perName: 1, reply: 3, quality: 'exact' };
const ASSUMED: Framing = { ...DOCUMENTED, quality: 'estimated' };
/** The only model where the name replaced the role. */
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
