import type { ModelFamily } from './models.ts';
import type { OpenAiApi } from './openai-api.ts';
import type { Quality } from './quality.ts';

export interface Framing {
  readonly perMessage: number;
  /** Added to the tokens of the name. */
  readonly perName: number;
  /** Added to a message of the assistant: its channel. */
  readonly perAssistantMessage: number;
  /** Every reply is primed with `<|start|>assistant<|message|>`. */
  readonly reply: number;
  readonly quality: Quality;
}

/**
 * From the OpenAI cookbook, "How to count tokens with tiktoken". It equals the bill of each of 600
 * recorded calls of gpt-3.5, gpt-4, gpt-4o and gpt-4.1 with nothing but messages, but for those of the
 * Responses API in its first month.
 */
const DOCUMENTED: Framing = {
  perMessage: 3,
  perName: 1,
  perAssistantMessage: 0,
  reply: 3,
  quality: 'exact',
};
const ASSUMED: Framing = { ...DOCUMENTED, quality: 'estimated' };
/** Measured on o3, o4 and gpt-5 to gpt-5.6; no formula is published. */
const SHORT_REPLY: Framing = { ...ASSUMED, reply: 2 };
const CHANNELS: Framing = { ...SHORT_REPLY, perAssistantMessage: 2 };
/** The only model where the name replaced the role. */
const GPT_35_0301: Framing = { ...ASSUMED, perMessage: 4, perName: -1 };

export function framingOf(family: ModelFamily, api: OpenAiApi): Framing {
  switch (family) {
    case 'gpt-3.5-0301':
      return GPT_35_0301;
    case 'gpt-3.5':
    case 'gpt-4':
      // A recorded call of gpt-4 in Responses was a token lower.
      return api === 'chat' ? DOCUMENTED : ASSUMED;
    case 'gpt-4o':
    case 'gpt-4.1':
      return DOCUMENTED;
    case 'o-series':
      return SHORT_REPLY;
    case 'gpt-5':
      return CHANNELS;
    default:
      return ASSUMED;
  }
}
