import { stringAt, type JsonObject } from './json.ts';
import type { ModelFamily } from './models.ts';
import type { OpenAiApi } from './openai-api.ts';
import type { Quality } from './quality.ts';
import type { Tally } from './tally.ts';
import {
  addCallee,
  callOf,
  callsOf,
  compactJson,
  parallelCall,
  parallelResults,
  type ToolCall,
} from './tool-calls.ts';

/** Tokens besides `functions.name`, the arguments, the name again and the result. */
interface HistoryFraming {
  readonly call: number;
  readonly result: number;
}

/** The message of the wrapper of parallel calls, and that of their results. */
const PARALLEL = 10;

/** Known of Chat Completions; the Responses API billed up to 3 more before 2026. */
function framingOf(api: OpenAiApi, family: ModelFamily): HistoryFraming {
  if (family === 'gpt-5') return { call: 14, result: 5 };
  return api === 'chat' ? { call: 7, result: 5 } : { call: 5, result: 5 };
}

/**
 * Calls of tools and their results in the messages of a request. Worked out from recorded calls: in
 * Chat Completions of gpt-3.5, gpt-4o and gpt-4.1 a call with its result equals 104 of 105 bills;
 * the other one has a text beside the call. Parallel calls equal most of them.
 */
export class ToolHistory {
  readonly #tally: Tally;
  readonly #quality: Quality;
  readonly #framing: HistoryFraming;
  /** Calls without a result so far. */
  readonly #open: ToolCall[] = [];
  /** Ids of parallel calls, and results of them so far. */
  #parallel = new Set<string | undefined>();
  #results: string[] = [];

  constructor(tally: Tally, api: OpenAiApi, family: ModelFamily) {
    this.#tally = tally;
    this.#framing = framingOf(api, family);
    const isMeasured = family === 'gpt-3.5' || family === 'gpt-4o' || family === 'gpt-4.1';
    this.#quality = isMeasured && api === 'chat' ? 'exact' : 'estimated';
  }

  /**
   * Takes the calls of a message of the assistant. Their message is part of their framing.
   *
   * @returns whether there are any
   */
  calls(message: JsonObject, hasText: boolean): boolean {
    const calls = callsOf(message);
    const [only] = calls;
    if (only === undefined) return false;
    if (calls.length === 1) {
      this.#call(only, hasText ? 'estimated' : this.#quality);
      return true;
    }
    this.#parallel = new Set(calls.map(({ id }) => id));
    this.#tally.addText('toolCalls', parallelCall(calls).text, 'estimated');
    this.#tally.addTokens('toolCalls', PARALLEL, 'estimated');
    return true;
  }

  /** Takes an item `function_call` or `custom_tool_call` of the Responses API. */
  item(item: JsonObject): void {
    this.#call(callOf(item, stringAt(item, 'call_id')), this.#quality);
  }

  /**
   * Takes the framing of a result.
   *
   * @returns whether its content, too, is taken
   */
  result(id: string | undefined, content: unknown): boolean {
    const isText = typeof content === 'string';
    if (this.#parallel.has(id) && isText) {
      this.#results.push(content);
      return true;
    }
    const at = this.#open.findIndex((call) => call.id === id);
    const [call] = at < 0 ? [] : this.#open.splice(at, 1);
    const quality = isText && call !== undefined ? this.#quality : 'estimated';
    this.#tally.addText('toolCalls', call?.name ?? '', quality);
    this.#tally.addTokens('toolCalls', this.#framing.result, quality);
    return false;
  }

  /** Ends a run of results: those of parallel calls are one message. */
  endResults(): void {
    if (this.#results.length === 0) return;
    this.#tally.addText('text', parallelResults(this.#results), 'estimated');
    this.#tally.addTokens('toolCalls', PARALLEL, 'estimated');
    this.#results = [];
    this.#parallel = new Set();
  }

  /** No request with a call that has no result was measured. */
  end(): void {
    this.endResults();
    if (this.#open.length > 0) this.#tally.addTokens('toolCalls', 0, 'estimated');
  }

  #call(call: ToolCall, measured: Quality): void {
    this.#open.push(call);
    const { text, same } = compactJson(call.arguments);
    const quality = same ? measured : 'estimated';
    addCallee(this.#tally, call, quality);
    this.#tally.addText('toolCalls', text, quality);
    this.#tally.addTokens('toolCalls', this.#framing.call, quality);
  }
}
