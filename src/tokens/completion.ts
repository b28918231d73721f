import { countTallied } from './count.ts';
import { objectAt, stringAt, type JsonObject } from './json.ts';
import { profileOfModel, type ModelFamily } from './models.ts';
import { apiOf, type OpenAiApi } from './openai-api.ts';
import type { Quality } from './quality.ts';
import { schemaOf } from './structured-output.ts';
import { Tally, type TokenCount } from './tally.ts';
import { addCallee, parallelCall, type ToolCall } from './tool-calls.ts';
import { functionsOf } from './tools.ts';

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
 * Output tokens of a reply, as the request made them. `exact` are text and calls of tools of
 * gpt-3.5, gpt-4, gpt-4o and gpt-4.1. Reasoning is `estimated`, since the billed tokens differ from
 * the shown ones.
 *
 * @param request of Chat Completions or Responses, which bill replies differently. Without it the
 *   count is one of Chat Completions without tools, and `estimated`.
 */
export function countCompletion(
  output: CompletionOutput,
  model?: string,
  request?: unknown,
): TokenCount {
  return countTallied(tallyCompletion(output, model, request));
}

/** Collects everything `output` contains, without counting it. */
export function tallyCompletion(
  output: CompletionOutput,
  model?: string,
  request?: unknown,
): Tally {
  const profile = profileOfModel(model);
  const tally = new Tally(profile);
  try {
    fill(tally, output, replyFraming(profile.family, request));
    if (profile.routed === true) tally.weaken(['text', 'toolCalls']);
  } catch {
    // A getter or a proxy in the caller's object threw.
    tally.addTokens('text', 0, 'estimated');
  }
  return tally;
}

function fill(tally: Tally, output: CompletionOutput, framing: ReplyFraming): void {
  const { text, reasoning, refusal } = output;
  if (typeof reasoning === 'string') tally.addText('reasoning', reasoning, 'estimated');
  if (typeof refusal === 'string') tally.addText('text', refusal, 'estimated');
  const calls = [...(output.toolCalls ?? [])].map((call): ToolCall => ({
    id: undefined,
    name: String(call.name),
    arguments: String(call.arguments),
  }));
  const hasText = typeof text === 'string' && (text !== '' || calls.length === 0);
  const isMixed = hasText && calls.length > 0;
  if (hasText) {
    tally.addText('text', text);
    tally.addTokens('text', framing.text, isMixed ? 'estimated' : framing.textQuality);
  }
  // The message of a text ends before that of a call begins.
  if (isMixed) tally.addTokens('toolCalls', 3, 'estimated');
  addCalls(tally, calls, framing);
  // Nothing that could be read: a reply is never empty.
  if (tally.texts.length === 0) tally.addTokens('text', 0, 'estimated');
}

function addCalls(tally: Tally, calls: readonly ToolCall[], framing: ReplyFraming): void {
  const [only] = calls;
  if (only === undefined) return;
  if (framing.isChosen) {
    // The request names the tool: only the arguments are left to be written.
    for (const call of calls) tally.addText('toolCalls', call.arguments, 'estimated');
    return;
  }
  if (calls.length > 1) {
    const { text, same } = parallelCall(calls);
    const quality = same ? framing.callQuality : 'estimated';
    tally.addText('toolCalls', text, quality);
    tally.addTokens('toolCalls', framing.parallel, quality);
    return;
  }
  addCallee(tally, only, framing.callQuality);
  tally.addText('toolCalls', only.arguments, framing.callQuality);
  tally.addTokens('toolCalls', framing.call, framing.callQuality);
}

/** Tokens of a reply besides its texts. */
interface ReplyFraming {
  readonly text: number;
  readonly textQuality: Quality;
  /** Besides `functions.name` and the arguments. */
  readonly call: number;
  /** Besides the call of the wrapper. */
  readonly parallel: number;
  readonly callQuality: Quality;
  /** Whether the request names the tool to be called. */
  readonly isChosen: boolean;
}

/**
 * Worked out from 1200 recorded replies, and equal to the bill of each in the shapes called exact,
 * but for those of December 2024 to May 2025: Chat Completions billed some of them with one more.
 */
function replyFraming(family: ModelFamily, request: unknown): ReplyFraming {
  const api = apiOf(request);
  const of = (request ?? {}) as JsonObject;
  const hasTools = functionsOf(of['tools'], of['functions']).length > 0;
  const hasSchema = api !== undefined && schemaOf(of) !== undefined;
  const isChosen = nameOfChoice(of['tool_choice']) || nameOfChoice(of['function_call']);
  const measured =
    api === 'chat' ? hasMeasuredReplies(family) : api !== undefined && hasMeasuredCalls(family);
  return {
    ...replyTokens(family, api ?? 'chat', { hasTools, hasSchema }),
    textQuality: measured && !(hasTools && hasSchema) ? 'exact' : 'estimated',
    callQuality: api === 'chat' && hasMeasuredCalls(family) ? 'exact' : 'estimated',
    isChosen,
  };
}

function nameOfChoice(choice: unknown): boolean {
  return stringAt(choice, 'name') !== undefined || objectAt(choice, 'function') !== undefined;
}

function hasMeasuredReplies(family: ModelFamily): boolean {
  return family === 'gpt-3.5' || family === 'gpt-4' || hasMeasuredCalls(family);
}

function hasMeasuredCalls(family: ModelFamily): boolean {
  return family === 'gpt-4o' || family === 'gpt-4.1';
}

function replyTokens(
  family: ModelFamily,
  api: OpenAiApi,
  { hasTools, hasSchema }: { readonly hasTools: boolean; readonly hasSchema: boolean },
): Pick<ReplyFraming, 'text' | 'call' | 'parallel'> {
  if (family === 'gpt-5' || family === 'o-series') {
    const text = api === 'chat' ? 9 : 4;
    return { text: text + (hasSchema ? 4 : 0), call: api === 'chat' ? 9 : 10, parallel: 20 };
  }
  const end = api === 'responses' ? 1 : 0;
  const text = end + (hasTools ? 1 : 0) + (hasTools && hasSchema ? 4 : 0);
  return { text, call: 6 + end, parallel: 10 + end };
}
