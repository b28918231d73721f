import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Media {
  readonly schema: object;
}

interface Answer {
  readonly $ref?: string;
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface ApiOperation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Document {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, Answer>> };
}

/** `/openapi.json` of an application, to hold its answers against. */
export class ApiDocument {
  readonly document: Document;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });
  readonly #validators = new Map<object, ValidateFunction>();

  constructor(document: unknown) {
    this.document = document as Document;
    this.#ajv.addSchema(this.document, 'api');
  }

  static async of(origin: string): Promise<ApiDocument> {
    return new ApiDocument(await (await fetch(`${origin}/openapi.json`)).json());
  }

  /** `get /path`, sorted. */
  get operations(): readonly string[] {
    return Object.entries(this.document.paths)
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
      .toSorted();
  }

  operation(method: string, path: string): ApiOperation {
    const found = this.document.paths[path]?.[method];
    assert.ok(found, `${method} ${path} is not described`);
    return found;
  }

  /** Checks status, headers, media type and body of an answer. Streams are not read. */
  async check(method: string, path: string, answer: Response): Promise<void> {
    const place = `${method} ${path} ${answer.status}`;
    const described = this.operation(method, path).responses[answer.status];
    assert.ok(described, `${place} is not described`);
    const name = described.$ref?.split('/').at(-1);
    const { headers = {}, content } =
      name === undefined ? described : this.document.components.responses[name]!;
    for (const [header, { required }] of Object.entries(headers)) {
      assert.ok(required !== true || answer.headers.has(header), `${place} has no ${header}`);
    }
    const type = answer.headers.get('content-type')?.split(';')[0];
    if (content === undefined) return assert.equal(type, undefined, place);
    const media = content[type ?? ''];
    assert.ok(media, `${place} is ${type}`);
    if (type === 'text/event-stream') return await answer.body?.cancel();
    const text = await answer.text();
    const body: unknown = type?.endsWith('json') ? JSON.parse(text) : text;
    const validate = this.#validatorOf(media.schema);
    assert.ok(validate(body), `${place}: ${this.#ajv.errorsText(validate.errors)}`);
  }

  #validatorOf(schema: object): ValidateFunction {
    const known = this.#validators.get(schema);
    if (known) return known;
    // References lead into the document.
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
    const made = this.#ajv.compile(JSON.parse(text) as object);
    this.#validators.set(schema, made);
    return made;
  }
}

/** The version that the package has. */
export function versionOfPackage(): string {
  const path = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}
