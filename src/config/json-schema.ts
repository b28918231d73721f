import { budgetJsonSchema } from '../budgets/budget-json-schema.ts';
import { DIMENSION_NAME, DIMENSIONS_MAX } from '../domain/dimensions.ts';
import { OPEN_NAME } from '../settings/settings-schema.ts';
import { BLOCK_NAMES, BLOCKS } from './config-file.ts';
import type { Setting, SettingKind } from './setting.ts';
import { settingsTable } from './settings-table.ts';

const [SCOPE_NAME, NAME] = BLOCK_NAMES;

/** The part of JSON Schema used here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/**
 * JSON Schema (draft 2020-12) of our blocks in a declarative configuration file, for editors. The
 * rest of the file is covered by OpenTelemetry's schema. Strings are accepted in addition to the
 * type of a value, because it may be written as `${VAR}`.
 */
export function configJsonSchema(): JsonSchema {
  let schema: Tree = {};
  for (const setting of settingsTable) {
    const path = [...BLOCKS[setting.block], NAME, ...setting.key.split('.')];
    schema = insert(schema, path, setting);
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'otel-token-meter in an OpenTelemetry declarative configuration',
    ...toSchema(schema, 0, '#'),
  };
}

interface Tree {
  readonly [name: string]: Tree | { readonly leaf: Setting };
}

function insert(tree: Tree, [name = '', ...rest]: readonly string[], leaf: Setting): Tree {
  if (rest.length === 0) return { ...tree, [name]: { leaf } };
  return { ...tree, [name]: insert((tree[name] ?? {}) as Tree, rest, leaf) };
}

/** Levels 0 and 1 belong to OpenTelemetry and allow other keys. */
function toSchema(tree: Tree, depth: number, pointer: string): JsonSchema {
  const ours = Object.values(tree).some((node) => 'leaf' in node) || depth > 2;
  return {
    type: ours ? ['object', 'null'] : 'object',
    properties: Object.fromEntries(
      Object.entries(tree).flatMap(([name, node]) => {
        if ('leaf' in node) return [[name, ofSetting(node.leaf as Setting)]];
        const at = `${pointer}/properties/${name.replaceAll('/', '~1')}`;
        const inside = [name, toSchema(node as Tree, depth + 1, at)];
        return name === NAME ? [inside, [SCOPE_NAME, { $ref: at }]] : [inside];
      }),
    ),
    ...(ours && { additionalProperties: false }),
  };
}

const SUBSTITUTION = { type: 'string', pattern: '\\$\\{' } as const;

function ofSetting({ kind, description, default: fallback, path }: Setting): JsonSchema {
  const value =
    kind.type === 'seconds' && typeof fallback === 'number' ? fallback / 1000 : fallback;
  return {
    description: `${description} In code: ${path}.`,
    ...(value !== undefined && { default: value }),
    anyOf: [ofKind(kind), SUBSTITUTION, { type: 'null' }],
  };
}

function ofKind(kind: SettingKind): JsonSchema {
  switch (kind.type) {
    case 'boolean':
      return { type: 'boolean' };
    case 'enum':
      return { enum: kind.values };
    case 'integer':
      return { type: 'integer', minimum: kind.min, maximum: kind.max };
    case 'seconds':
      return { type: 'number', minimum: kind.min, maximum: kind.max };
    case 'string':
      return { type: ['string', 'number', 'boolean'] };
    case 'url':
      return { type: 'string', pattern: `^(${kind.protocols.join('|')})//` };
    case 'redis':
      return { type: 'string', pattern: '^rediss?(\\+(cluster|sentinel))?://' };
    case 'list':
      return { type: 'array', items: { type: 'string' } };
    case 'dimensions':
      return {
        type: 'array',
        items: { type: 'string', pattern: DIMENSION_NAME.source },
        maxItems: DIMENSIONS_MAX,
        uniqueItems: true,
      };
    case 'budgets': {
      const { properties, required } = budgetJsonSchema;
      const id = { type: 'string', pattern: OPEN_NAME.source };
      const item = {
        ...budgetJsonSchema,
        properties: { id, ...(properties as JsonSchema) },
        required: ['id', ...(required as readonly string[])],
      };
      return { type: 'array', items: item };
    }
    case 'map':
      return { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } };
  }
}
