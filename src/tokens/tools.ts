import { isObject, listOf, objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import type { ModelFamily } from './models.ts';
import type { Tally } from './tally.ts';
import { renderFunctions } from './tool-namespace.ts';

export interface ToolSettings {
  readonly tools: readonly JsonObject[];
  readonly toolChoice: unknown;
  readonly hasSystemMessage: boolean;
}

/** Functions in `tools` (Chat Completions, Responses) or in the deprecated `functions`. */
export function functionsOf(tools: unknown, functions?: unknown): JsonObject[] {
  const declared = [...listOf(tools), ...listOf(functions)].filter(isObject);
  return declared.map((tool) => objectAt(tool, 'function') ?? tool);
}

/**
 * Tokens of tool definitions. OpenAI documents no rule. Two are known:
 * - A: the functions rendered as a TypeScript namespace, plus 9 tokens, minus 4 when there is a
 *   system message. Reverse-engineered and measured against the API on gpt-3.5 and gpt-4.
 * - B: the OpenAI cookbook's sum of constants per field, which also covers gpt-4o.
 * They differ by a few tokens where both apply, so counts of tools are `estimated`, except for the
 * shapes on gpt-3.5 and gpt-4 where A matches each published measurement.
 */
export function addTools(tally: Tally, settings: ToolSettings, family: ModelFamily): void {
  if (settings.tools.length === 0) return;
  if (rendersNamespace(family)) {
    addAsNamespace(tally, settings);
  } else {
    addByField(tally, settings.tools);
  }
  addToolChoice(tally, settings.toolChoice);
}

/** Whether rule A applies. */
export function rendersNamespace(family: ModelFamily): boolean {
  return family === 'gpt-3.5' || family === 'gpt-3.5-0301' || family === 'gpt-4';
}

function addAsNamespace(tally: Tally, { tools, hasSystemMessage }: ToolSettings): void {
  const { text, measured } = renderFunctions(tools);
  const quality = measured ? 'exact' : 'estimated';
  tally.addText('tools', text, quality);
  tally.addTokens('tools', hasSystemMessage ? 9 - 4 : 9, quality);
}

/** Measured: `none` costs 1 token, a named function 7 plus its name (other sources say 4). */
function addToolChoice(tally: Tally, toolChoice: unknown): void {
  if (toolChoice === 'none') {
    tally.addTokens('tools', 1, 'exact');
    return;
  }
  const name = stringAt(objectAt(toolChoice, 'function'), 'name') ?? stringAt(toolChoice, 'name');
  if (name === undefined) return;
  tally.addText('tools', name);
  tally.addTokens('tools', 7, 'exact');
}

/** Constants of `num_tokens_for_tools` in the cookbook, for the gpt-4o family. */
const FIELD_COST = {
  perFunction: 7,
  properties: 3,
  perProperty: 3,
  enumeration: -3,
  perEnumItem: 3,
  end: 12,
} as const;

function addByField(tally: Tally, tools: readonly JsonObject[]): void {
  for (const tool of tools) {
    const name = stringAt(tool, 'name') ?? '';
    const description = withoutFullStop(stringAt(tool, 'description') ?? '');
    tally.addText('tools', `${name}:${description}`, 'estimated');
    tally.addTokens('tools', FIELD_COST.perFunction, 'estimated');
    addProperties(tally, objectAt(tool, 'parameters'), 0);
  }
  tally.addTokens('tools', FIELD_COST.end, 'estimated');
}

/** Deeper schemas are not followed: the cookbook's rule covers flat ones. */
const MAX_DEPTH = 20;

function addProperties(tally: Tally, schema: JsonObject | undefined, depth: number): void {
  const properties = Object.entries(objectAt(schema, 'properties') ?? {});
  if (properties.length === 0 || depth > MAX_DEPTH) return;
  tally.addTokens('tools', FIELD_COST.properties, 'estimated');
  for (const [key, property] of properties) {
    const type = stringAt(property, 'type') ?? '';
    const description = withoutFullStop(stringAt(property, 'description') ?? '');
    tally.addText('tools', `${key}:${type}:${description}`, 'estimated');
    tally.addTokens('tools', FIELD_COST.perProperty, 'estimated');
    if (isObject(property)) {
      addEnumeration(tally, property['enum']);
      addProperties(tally, property, depth + 1);
      addProperties(tally, objectAt(property, 'items'), depth + 1);
    }
  }
}

function addEnumeration(tally: Tally, values: unknown): void {
  if (!Array.isArray(values)) return;
  tally.addTokens('tools', FIELD_COST.enumeration, 'estimated');
  for (const value of values) {
    tally.addText('tools', typeof value === 'string' ? value : toJson(value), 'estimated');
    tally.addTokens('tools', FIELD_COST.perEnumItem, 'estimated');
  }
}

function withoutFullStop(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : text;
}
