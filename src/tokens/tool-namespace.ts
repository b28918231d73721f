import { isObject, listOf, objectAt, stringAt, toJson, type JsonObject } from './json.ts';

export interface RenderedFunctions {
  readonly text: string;
  /**
   * Functions with a first property that has no comment. Each was billed one token less than its
   * declaration has.
   */
  readonly bare: number;
  /**
   * Whether all shapes in it equal each measurement: flat properties of plain types, lists and
   * choices of texts. Nested objects, `anyOf`, `$ref`, formats and limits differ in some of them.
   */
  readonly measured: boolean;
}

const MAX_DEPTH = 20;
/** Properties and variants in all functions: a schema that refers to itself twice doubles with each level. */
const MAX_TYPES = 5000;
/** Fields of a schema that were seen in measured declarations, or have no effect there. */
const KNOWN_FIELDS = new Set([
  'type',
  'title',
  'description',
  'enum',
  'items',
  'default',
  'properties',
  'required',
  'additionalProperties',
  '$schema',
]);
const PLAIN_TYPES = new Set(['string', 'number', 'integer', 'boolean', 'null']);
const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** TypeScript declarations that OpenAI's models receive instead of JSON schemas. */
export function renderFunctions(functions: readonly JsonObject[]): RenderedFunctions {
  const renderer = new Renderer();
  const lines = ['namespace functions {', ''];
  for (const declared of functions) lines.push(...renderer.declaration(declared), '');
  lines.push('} // namespace functions');
  const { bare, measured } = renderer;
  return { text: lines.join('\n'), bare, measured };
}

class Renderer {
  bare = 0;
  measured = true;
  #types = 0;
  /** Schema of the function, for `$ref`. */
  #root: JsonObject = {};

  declaration(declared: JsonObject): string[] {
    const name = stringAt(declared, 'name') ?? '';
    const about = this.#comment(declared['description']);
    const schema = objectAt(declared, 'parameters');
    this.#root = schema ?? {};
    const body = this.#properties(schema, 0);
    if (body.length === 0) return [...about, `type ${name} = () => any;`];
    const heading = [...this.#comment(schema?.['title']), ...this.#unmeasuredComment(schema)];
    const first = heading[0] ?? body[0];
    if (first?.startsWith('//') !== true) this.bare++;
    this.#check(schema);
    return [...about, `type ${name} = (_: {`, ...heading, ...body, '}) => any;'];
  }

  /** A description of all parameters together was measured too rarely. */
  #unmeasuredComment(schema: JsonObject | undefined): string[] {
    const lines = this.#comment(schema?.['description']);
    if (lines.length > 0) this.measured = false;
    return lines;
  }

  #properties(schema: JsonObject | undefined, depth: number): string[] {
    if (depth > MAX_DEPTH) return [];
    const required = new Set(listOf(schema?.['required']));
    const lines: string[] = [];
    for (const [name, property] of Object.entries(objectAt(schema, 'properties') ?? {})) {
      if (!IDENTIFIER.test(name)) this.measured = false;
      const optional = required.has(name) ? '' : '?';
      const type = this.#type(property, depth);
      const comments = isObject(property) ? this.#comments(property) : [];
      lines.push(...comments, `${name}${optional}: ${type},${this.#default(property)}`);
    }
    return lines;
  }

  /** The title, and an empty line between it and a description. */
  #comments(property: JsonObject): string[] {
    const title = this.#comment(property['title']);
    const description = this.#comment(property['description']);
    return title.length > 0 && description.length > 0
      ? [...title, '//', ...description]
      : [...title, ...description];
  }

  #comment(text: unknown): string[] {
    if (typeof text !== 'string' || text === '') return [];
    if (!text.includes('\n')) return [`// ${text.trim()}`.trimEnd()];
    if (/^\s*\n|\n\s*$|\r/.test(text)) this.measured = false;
    const lines = text.trim().split('\n');
    return lines.map((line) => `// ${line.trim()}`.trimEnd());
  }

  #default(property: unknown): string {
    if (!isObject(property) || !('default' in property)) return '';
    const value = property['default'];
    if ((typeof value === 'object' && value !== null) || 'enum' in property) this.measured = false;
    return ` // default: ${toJson(value)}`;
  }

  #type(property: unknown, depth: number): string {
    if (!isObject(property) || depth > MAX_DEPTH || ++this.#types > MAX_TYPES) {
      this.measured = false;
      return 'any';
    }
    this.#check(property);
    const { type } = property;
    const values = property['enum'];
    if (Array.isArray(values)) {
      if (type !== 'string') this.measured &&= type === 'integer';
      return values.map(literal).join(' | ');
    }
    const variants = listOf(property['anyOf'] ?? property['oneOf'] ?? property['allOf']);
    if (variants.length > 0) {
      return variants.map((variant) => this.#type(variant, depth + 1)).join(' | ');
    }
    const reference = stringAt(property, '$ref');
    if (reference !== undefined) return this.#type(this.#resolve(reference), depth + 1);
    if (Array.isArray(type)) {
      this.measured = false;
      return type.map(nameOfType).join(' | ');
    }
    if (type === 'array') return this.#list(property, depth);
    if (type === 'object') {
      this.measured = false;
      return ['{', ...this.#properties(property, depth + 1), '}'].join('\n');
    }
    return nameOfType(type);
  }

  #list(property: JsonObject, depth: number): string {
    const { items } = property;
    if (items === undefined) {
      this.measured = false;
      return 'any[]';
    }
    if (!PLAIN_TYPES.has(stringAt(items, 'type') ?? '')) this.measured = false;
    return `${this.#type(items, depth + 1)}[]`;
  }

  #resolve(reference: string): unknown {
    let found: unknown = this.#root;
    for (const key of reference.replace(/^#\/?/, '').split('/')) {
      found = isObject(found) ? found[key] : undefined;
    }
    return found;
  }

  #check(schema: JsonObject | undefined): void {
    for (const field in schema) if (!KNOWN_FIELDS.has(field)) this.measured = false;
  }
}

function nameOfType(type: unknown): string {
  if (type === 'integer') return 'number';
  return typeof type === 'string' && PLAIN_TYPES.has(type) ? type : 'any';
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}
