import { isObject, listOf, objectAt, stringAt, type JsonObject } from './json.ts';
import type { ModelProfile } from './models.ts';
import type { OpenAiApi } from './openai-api.ts';
import type { Quality } from './quality.ts';
import type { Tally } from './tally.ts';
import { renderFunctions, type RenderedFunctions } from './tool-namespace.ts';

export interface ToolSettings {
  readonly tools: readonly JsonObject[];
  readonly api: OpenAiApi;
  readonly toolChoice: unknown;
  /** `function_call` of the deprecated form. */
  readonly functionCall: unknown;
  readonly parallel: unknown;
  readonly hasSystemMessage: boolean;
}

/** Functions in `tools` (Chat Completions, Responses) or in the deprecated `functions`. */
export function functionsOf(tools: unknown, functions?: unknown): JsonObject[] {
  const declared = [...listOf(tools), ...listOf(functions)].filter(isObject);
  return declared.map((tool) => objectAt(tool, 'function') ?? tool);
}

/**
 * Tokens of tool definitions. OpenAI documents no rule: the functions are rendered as a TypeScript
 * namespace, plus a constant. Worked out from recorded calls, and equal to each with flat schemas.
 */
export function addTools(tally: Tally, settings: ToolSettings, profile: ModelProfile): void {
  if (settings.tools.length === 0) return;
  const rendered = renderFunctions(settings.tools);
  const quality = qualityOf(rendered, settings, profile);
  tally.addText('tools', rendered.text, quality);
  tally.addTokens('tools', overheadOf(settings, profile) - rendered.bare, quality);
  addToolChoice(tally, settings, profile);
}

/**
 * Chat Completions: 9, or 5 where the namespace is part of a system message. Responses: 3. The
 * higher ones of gpt-5 and of sequential calls were measured, without knowing what they stand for.
 */
function overheadOf(settings: ToolSettings, { family }: ModelProfile): number {
  const { api, hasSystemMessage, parallel, toolChoice } = settings;
  const isGpt5 = family === 'gpt-5';
  const sequential = parallel === false && !isObject(toolChoice) ? 21 : 0;
  if (api === 'responses') return sequential + (isGpt5 ? 8 : 3);
  return sequential + (hasSystemMessage ? 5 : 9) + (isGpt5 ? 84 : 0);
}

function qualityOf(
  { measured, bare }: RenderedFunctions,
  { api, parallel }: ToolSettings,
  { family, name }: ModelProfile,
): Quality {
  if (!measured || parallel === false) return 'estimated';
  switch (family) {
    case 'gpt-4o':
      return 'exact';
    case 'gpt-4.1':
      // One of five recorded calls of the Responses API was a token lower.
      return api === 'responses' && name.includes('nano') ? 'estimated' : 'exact';
    case 'gpt-3.5':
    case 'gpt-4':
      // The models of 2023 and 2024 differ by a token for a first property without a comment.
      return api === 'chat' && bare === 0 ? 'exact' : 'estimated';
    default:
      return 'estimated';
  }
}

/**
 * Measured on gpt-3.5: `none` costs 1 token, a named tool 7 plus its name. On gpt-4o one of three was a
 * token higher. A named `function_call` costs 4.
 */
function addToolChoice(
  tally: Tally,
  { toolChoice, functionCall, api }: ToolSettings,
  { family }: ModelProfile,
): void {
  if (toolChoice === 'none') {
    tally.addTokens('tools', 1, api === 'chat' && family === 'gpt-3.5' ? 'exact' : 'estimated');
  } else if (toolChoice === 'required') {
    // Measured with -1 and 0 in Chat Completions.
    tally.addTokens('tools', api === 'responses' && family !== 'gpt-5' ? 9 : 0, 'estimated');
  }
  const name = stringAt(objectAt(toolChoice, 'function'), 'name') ?? stringAt(toolChoice, 'name');
  if (name !== undefined) {
    const quality = family === 'gpt-3.5' ? 'exact' : 'estimated';
    tally.addText('tools', name, quality);
    tally.addTokens('tools', 7, quality);
  }
  if (isObject(functionCall)) tally.addTokens('tools', 4, 'estimated');
  else if (functionCall === 'none') tally.addTokens('tools', 1, 'estimated');
}
