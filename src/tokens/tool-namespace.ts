import { isObject, listOf, objectAt, stringAt, type JsonObject } from './json.ts';

export interface RenderedFunctions {
  readonly text: string;
  /**
   * Shapes for which this rendering matches every measurement: flat and with descriptions. It is 1
   * to 3 tokens too high for nested properties (four of six measurements) and 1 too high for
   * properties without a description (in one source; exact in another).
   */
  readonly measured: boolean;
}

const MAX_DEPTH = 20;

/** TypeScript declarations that gpt-3.5 and gpt-4 receive instead of JSON schemas. */
export function renderFunctions(functions: readonly JsonObject[]): RenderedFunctions {
  const renderer = new Renderer();
  const lines = ['namespace functions {', ''];
  for (const declared of functions) {
    const description = stringAt(declared, 'description');
    if (description) lines.push(`// ${description}`);
    const name = stringAt(declared, 'name') ?? '';
    const body = renderer.properties(objectAt(declared, 'parameters'), 0);
    if (body.length === 0) lines.push(`type ${name} = () => any;`, '');
    else lines.push(`type ${name} = (_: {`, ...body, '}) => any;', '');
  }
  lines.push('} // namespace functions');
  return { text: lines.join('\n'), measured: renderer.measured };
}

class Renderer {
  measured = true;

  properties(schema: JsonObject | undefined, depth: number): string[] {
    if (depth > MAX_DEPTH) return [];
    const required = new Set(listOf(schema?.['required']));
    const lines: string[] = [];
    for (const [name, property] of Object.entries(objectAt(schema, 'properties') ?? {})) {
      const description = stringAt(property, 'description');
      if (description) lines.push(`// ${description}`);
      else this.measured = false;
      lines.push(`${name}${required.has(name) ? '' : '?'}: ${this.#type(property, depth)},`);
    }
    return lines.map((line) => ' '.repeat(2 * depth) + line);
  }

  #type(property: unknown, depth: number): string {
    if (!isObject(property)) return 'any';
    const values = property['enum'];
    if (Array.isArray(values)) return values.map(literal).join(' | ');
    switch (property['type']) {
      case 'string':
      case 'boolean':
      case 'number':
      case 'null':
        return property['type'];
      case 'integer':
        return 'number';
      case 'array':
        return property['items'] === undefined
          ? 'any[]'
          : `${this.#type(property['items'], depth)}[]`;
      case 'object':
        this.measured = false;
        return ['{', ...this.properties(property, depth + 1), '}'].join('\n');
      default:
        return 'any';
    }
  }
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}
