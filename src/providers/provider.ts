import type { CompletionOutput } from '../tokens/index.ts';
import type { TokenUsage } from '../usage/usage-record.ts';
import type { CallMeter } from '../call/call-meter.ts';

/** What a request says about itself, read once when the call starts. */
export interface RequestFacts {
  readonly model?: string | undefined;
  /** The caller asked for a stream. */
  readonly stream?: boolean | undefined;
  /** End user and conversation the request names outright (`user`, `conversation`, …). */
  readonly userId?: string | undefined;
  readonly conversationId?: string | undefined;
  /** The same from fields that may hold hashes (`safety_identifier`, `prompt_cache_key`). */
  readonly opaqueUserId?: string | undefined;
  readonly opaqueConversationId?: string | undefined;
}

/** Usage as a provider reports it, normalised: input includes cache, output includes reasoning. */
export interface ReportedUsage extends TokenUsage {
  /** Subsets by modality, where the provider splits them. */
  readonly audioInputTokens?: number;
  readonly imageInputTokens?: number;
  readonly audioOutputTokens?: number;
  readonly imageOutputTokens?: number;
  /**
   * `input`: only the input is final, the output is a placeholder to be counted (Anthropic before
   * `message_delta`). Default: everything present is final.
   */
  readonly final?: 'input';
}

/** All that was learnt from a reply by the time it ended, in whichever way. */
export interface Reply {
  readonly usage?: ReportedUsage | undefined;
  readonly responseId?: string | undefined;
  readonly responseModel?: string | undefined;
  readonly finishReasons?: readonly string[] | undefined;
  /** The closing event (finish reason, `message_stop`, `response.completed` …) was seen. */
  readonly closed: boolean;
  /** The provider works on: the whole reply is fetched later, by its id. */
  readonly pending?: boolean;
  /** The reply itself reports a failure (`response.failed`): class or code, never the message. */
  readonly failure?: string | undefined;
  /** What was received, one entry a choice; empty when it was not kept or nothing came. */
  readonly outputs: readonly CompletionOutput[];
  readonly conversationId?: string | undefined;
}

export interface ReadOptions {
  /** False: no usage may be read. */
  readonly usage: boolean;
  /** True: keep the text and tool calls received, for counting or content capture. */
  readonly output: boolean;
}

/**
 * Reads one reply. Called on the caller's path, so both methods only pick and append; normalising
 * happens in `result`, once. They may throw: the call keeps that from the host and from the record.
 */
export interface ReplyReader {
  /** The whole reply of a call that was not streamed. */
  whole(reply: unknown): void;
  /** One event of a stream, in order. */
  event(event: unknown): void;
  /** The stream was read to its end: proof of a whole reply only where there is no closing event. */
  done?(): void;
  result(): Reply;
}

/** What is counted when the provider reports no input tokens. */
export type CountableInput =
  /** An OpenAI chat-completions or responses shaped request. */
  | { readonly kind: 'chat'; readonly request: unknown }
  /** Bare texts without framing, and tokens that came as numbers. */
  | { readonly kind: 'texts'; readonly texts: readonly string[]; readonly tokens: number };

/** One kind of call (chat completions, messages, embeddings …): how it is read. Stateless. */
export interface CallShape {
  /** `gen_ai.operation.name`. */
  readonly operation: string;
  /** Operations without output tokens (embeddings): nothing to count there. */
  readonly inputOnly?: boolean;
  request(request: unknown): RequestFacts;
  reader(options: ReadOptions): ReplyReader;
  /**
   * Runs after the reply, off the caller's path. `request` is a snapshot made at the start. Undefined
   * when the request does not tell what was sent.
   */
  countable(request: unknown): CountableInput | undefined;
}

/**
 * How an error ends a call. `aborted`: the caller or the network cut the call short. `type` is a class
 * name or code.
 */
export interface Failure {
  readonly outcome: 'error' | 'aborted';
  readonly type: string;
}

/** The meter that records calls just now; undefined while metering is off. Asked on every call. */
export type CurrentMeter = () => CallMeter | undefined;

/** What `patch` found: `unfit` when the module lacks the places that would have to be patched. */
export type PatchOutcome = 'patched' | 'already-patched' | 'unfit';

/** One SDK: where it is patched. */
export interface SdkPatch {
  /** Package name, as imported. */
  readonly moduleName: string;
  /** File inside the package that is patched in place of what its name leads to. */
  readonly file?: string;
  /** First and last major version this was tested with. */
  readonly testedMajors: readonly [first: number, last: number];
  /**
   * Patches prototypes in place and keeps them patched for good; the patched functions ask `meter` on
   * every call. Called once a loaded copy (ESM and CJS builds are different copies). Never throws for a
   * module of an unknown shape.
   */
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome;
}
