import type { Attributes } from '@opentelemetry/api';
import { ATTR, ATTR_DIMENSION_PREFIX, ATTR_METRIC } from '../../../../src/otel/semconv.ts';
import { TEAM_TAG, tagOfDimension } from '../../usage-schema.ts';
import { escapeName } from './escaping.ts';
import type { BoundedTag } from './bounded-tag.ts';

/** Short tags for the attributes that every query names; any other is its name with `_` for `.`. */
const TAG_OF_ATTRIBUTE: ReadonlyMap<string, string> = new Map([
  [ATTR.operationName, 'operation'],
  [ATTR.providerName, 'provider'],
  [ATTR.requestModel, 'model'],
  [ATTR.responseModel, 'response_model'],
  [ATTR.outcome, 'outcome'],
  [ATTR.tokenSource, 'token_source'],
  [ATTR.conversationId, 'conversation_id'],
  [ATTR.team, TEAM_TAG],
  [ATTR_METRIC.tokenType, 'token_type'],
  [ATTR_METRIC.tokenModality, 'modality'],
]);

/** The resource attributes that become tags: few values each, and needed to tell processes apart. */
const TAG_OF_RESOURCE: Readonly<Record<string, string>> = {
  'service.name': 'service',
  'service.namespace': 'service_namespace',
  'service.instance.id': 'instance',
  'deployment.environment': 'environment',
  'deployment.environment.name': 'environment',
};

/** A tag of these names would hide a field, or is reserved by a server. */
const RESERVED = /^(time|_.*|value|count|sum|min|max|p50|p95|p99|le_.*)$/;

/** Turns attributes into the tags of a line, sorted: equal sets give equal text. */
export class MetricTags {
  readonly #constant: ReadonlyMap<string, string>;
  readonly #users: BoundedTag;

  constructor(constant: Readonly<Record<string, string>>, users: BoundedTag) {
    this.#constant = new Map(
      Object.entries(constant).map(([name, value]) => [escapeName(name), escapeName(value)]),
    );
    this.#users = users;
  }

  /** The tags that all series of a process share. */
  ofResource(attributes: Attributes): ReadonlyMap<string, string> {
    const tags = new Map<string, string>();
    for (const [attribute, tag] of Object.entries(TAG_OF_RESOURCE)) {
      const value = attributes[attribute];
      if (typeof value === 'string') tags.set(tag, escapeName(value));
    }
    for (const [name, value] of this.#constant) tags.set(name, value);
    return tags;
  }

  /** `,name=value` for every tag. */
  ofPoint(shared: ReadonlyMap<string, string>, attributes: Attributes): string {
    const tags = new Map(shared);
    for (const [attribute, value] of Object.entries(attributes)) {
      if (value === undefined || value === null) continue;
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const escaped = attribute === ATTR.userId ? this.#users.value(text) : escapeName(text);
      const name = nameOf(attribute, tags);
      if (name !== '') tags.set(name, escaped);
    }
    let text = '';
    for (const name of [...tags.keys()].toSorted()) {
      const value = tags.get(name);
      if (value !== undefined && value !== '') text += `,${name}=${value}`;
    }
    return text;
  }
}

/** A free name: the same attribute set gets the same ones, since attributes keep their order. */
function nameOf(attribute: string, taken: ReadonlyMap<string, string>): string {
  const plain = attribute.startsWith(ATTR_DIMENSION_PREFIX)
    ? tagOfDimension(attribute.slice(ATTR_DIMENSION_PREFIX.length))
    : (TAG_OF_ATTRIBUTE.get(attribute) ?? attribute.replaceAll('.', '_'));
  let name = escapeName(plain);
  if (name === '') return name;
  while (RESERVED.test(name) || taken.has(name)) name = `attr_${name}`;
  return name;
}
