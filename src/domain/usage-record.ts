import type { AgentStep } from './agent-step.ts';

/**
 * Source of the token counts: `provider` (reported in the reply), `counted` (exact tokenizer and
 * framing of the model), `estimated` (anything less).
 */
export type TokenSource = 'provider' | 'counted' | 'estimated';

/**
 * How a call ended. `aborted`: before its closing event (break, abort signal, cut stream, stream
 * never read). `blocked`: a budget refused it before a request left; it has no tokens and is no error.
 */
export const OUTCOMES = ['ok', 'error', 'aborted', 'blocked'] as const;

export type Outcome = (typeof OUTCOMES)[number];

/**
 * Where a cost comes from: `provider` when the reply reports it, `list` prices, the `contract` of a price
 * file, `estimated` when it was computed from estimated tokens.
 */
export type CostSource = 'provider' | 'list' | 'contract' | 'estimated';

/** A value that is valid as an OpenTelemetry attribute and as an InfluxDB field. */
export type UsageAttributeValue = string | number | boolean;

/**
 * Token counts of one call, normalised across providers. Absent means unknown; 0 means that the
 * provider reported 0. Input includes cached tokens, output includes reasoning tokens.
 */
export interface TokenUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Subset of input: tokens served from the provider's prompt cache. */
  readonly cacheReadTokens?: number;
  /** Subset of input: tokens written to the provider's prompt cache. */
  readonly cacheWriteTokens?: number;
  /** Subset of output. */
  readonly reasoningTokens?: number;
}

/** Whether the caller got an error, also where he had received part of a reply by then. */
export function hasFailed({ outcome, errorType }: UsageRecord): boolean {
  return outcome !== 'blocked' && (outcome === 'error' || errorType !== undefined);
}

/** One LLM call: one line of the ledger. Plain JSON without message content. */
export interface UsageRecord extends TokenUsage {
  /** UUIDv7, the same on every resend. */
  readonly id: string;
  /**
   * End of the call as RFC 3339 in UTC with nine fraction digits. The last six are a process-random
   * start plus a sequence, so that calls of one process never share a timestamp and a resend
   * overwrites itself.
   */
  readonly time: string;
  /** `service.name` of the resource; `unknown_service` when none is set. */
  readonly service: string;
  /** `gen_ai.operation.name`: chat, text_completion, embeddings, generate_content … */
  readonly operation: string;
  /** `gen_ai.provider.name`: openai, azure.ai.openai, anthropic, aws.bedrock … */
  readonly provider: string;
  readonly requestModel: string;
  readonly responseModel?: string;
  readonly responseId?: string;
  readonly userId?: string;
  readonly conversationId?: string;
  readonly team?: string;
  /** Values of the configured dimensions other than the team; absent when there is none. */
  readonly dimensions?: Readonly<Record<string, string>>;
  /** `gen_ai.agent.name`. */
  readonly agentName?: string;
  /** Run of an agent that the call is part of. */
  readonly runId?: string;
  /** The innermost tool that the call was made in, also where an agent within the tool made it. */
  readonly toolName?: string;
  /** From the start of the run to the step that made the call; absent where no step is known. */
  readonly steps?: readonly AgentStep[];
  readonly durationMs: number;
  /** Streams only. */
  readonly timeToFirstChunkMs?: number;
  /** input + output; present only when both are. */
  readonly totalTokens?: number;
  /** Present only when usage is known: at least one token count, or another kind of `BilledUsage`. */
  readonly tokenSource?: TokenSource;
  readonly outcome: Outcome;
  /** Class or code of the failure, or of the refusal of a blocked call; never its message. */
  readonly errorType?: string;
  /** US dollars, rounded to whole nano-dollars; absent when the price is unknown. */
  readonly costUsd?: number;
  /** Present exactly when `costUsd` is. */
  readonly costSource?: CostSource;
  /**
   * Names of the parts that were billed and have no price (`web_searches`, `priority_tier` …): then
   * `costUsd` is the sum of the others, the least that was paid.
   */
  readonly costMissing?: readonly string[];
  /** The tier that was served, not the one asked for: `default`, `flex`, `priority`, `batch` … */
  readonly serviceTier?: string;
  /** Custom attributes of the caller. */
  readonly attributes: Readonly<Record<string, UsageAttributeValue>>;
  readonly traceId?: string;
  readonly spanId?: string;
}
