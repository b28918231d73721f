import type { UsageRecord } from '../../src/usage/usage-record.ts';
import { cleanTag, escapeName } from './escaping.ts';
import { FieldText } from './field-text.ts';
import { fieldOfAttribute, USAGE_FIELDS, USAGE_MEASUREMENT } from './usage-schema.ts';
import { UserTags } from './user-tags.ts';

export interface UsageLineOptions {
  /** Constant tags on every line. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Different user tags a day (UTC); everybody beyond is `(other)`. */
  readonly maxUserTags: number;
  /** Told of every value that is left out or cut while its record goes on. */
  readonly onCleaned: (reason: string) => void;
}

const MAX_PREFIXES = 5000;
const MAX_LINE_BYTES = 1_000_000;

/** Writes usage records as lines; keeps the escaped tag prefixes it has seen. */
export class UsageLineWriter {
  readonly #constantTags: string;
  readonly #tagNames: ReadonlySet<string>;
  readonly #users: UserTags;
  readonly #fieldText: FieldText;
  readonly #onCleaned: (reason: string) => void;
  readonly #prefixes = new Map<string, string>();

  constructor(options: UsageLineOptions) {
    const tags = Object.entries(options.tags ?? {});
    this.#constantTags = tags.map(([name, value]) => tag(name, value)).join('');
    this.#tagNames = new Set(tags.map(([name]) => name));
    this.#users = new UserTags(options.maxUserTags);
    this.#fieldText = new FieldText(options.onCleaned);
    this.#onCleaned = options.onCleaned;
  }

  /** One line without its newline; undefined when it is too long for any server. */
  line(record: UsageRecord, environment?: string): string | undefined {
    const line = `${this.#tags(record, environment)} ${this.#fields(record)} ${nanoseconds(record.time)}`;
    return line.length > MAX_LINE_BYTES ? undefined : line;
  }

  #tags(record: UsageRecord, environment = ''): string {
    const { requestModel, operation, outcome, provider, service, tokenSource = '' } = record;
    const key = `${environment}\n${requestModel}\n${operation}\n${outcome}\n${provider}\n${service}\n${tokenSource}`;
    let prefix = this.#prefixes.get(key);
    if (prefix === undefined) {
      if (this.#prefixes.size >= MAX_PREFIXES) this.#prefixes.clear();
      prefix =
        USAGE_MEASUREMENT +
        this.#constantTags +
        tag('environment', environment) +
        tag('model', requestModel) +
        tag('operation', operation) +
        tag('outcome', outcome) +
        tag('provider', provider) +
        tag('service', service) +
        tag('token_source', tokenSource);
      this.#prefixes.set(key, prefix);
    }
    if (record.userId === undefined) return prefix;
    return `${prefix},user_id=${this.#users.value(record.userId, record.time.slice(0, 10))}`;
  }

  #fields(record: UsageRecord): string {
    let fields = `${USAGE_FIELDS.calls}=1i`;
    fields += this.#fieldText.integer(USAGE_FIELDS.inputTokens, record.inputTokens);
    fields += this.#fieldText.integer(USAGE_FIELDS.outputTokens, record.outputTokens);
    fields += this.#fieldText.integer(USAGE_FIELDS.totalTokens, record.totalTokens);
    fields += this.#fieldText.integer(USAGE_FIELDS.cacheReadTokens, record.cacheReadTokens);
    fields += this.#fieldText.integer(USAGE_FIELDS.cacheWriteTokens, record.cacheWriteTokens);
    fields += this.#fieldText.integer(USAGE_FIELDS.reasoningTokens, record.reasoningTokens);
    fields += this.#fieldText.float(USAGE_FIELDS.durationMs, record.durationMs);
    fields += this.#fieldText.float(USAGE_FIELDS.timeToFirstChunkMs, record.timeToFirstChunkMs);
    fields += this.#fieldText.float(USAGE_FIELDS.costUsd, record.costUsd);
    fields += this.#fieldText.string(USAGE_FIELDS.user, record.userId);
    fields += this.#fieldText.string(USAGE_FIELDS.conversationId, record.conversationId);
    fields += this.#fieldText.string(USAGE_FIELDS.recordId, record.id);
    fields += this.#fieldText.string(USAGE_FIELDS.responseId, record.responseId);
    fields += this.#fieldText.string(USAGE_FIELDS.responseModel, record.responseModel);
    if (cleanTag(record.requestModel) !== record.requestModel) {
      fields += this.#fieldText.string(USAGE_FIELDS.requestModel, record.requestModel);
    }
    fields += this.#fieldText.string(USAGE_FIELDS.errorType, record.errorType);
    fields += this.#fieldText.string(USAGE_FIELDS.traceId, record.traceId);
    fields += this.#fieldText.string(USAGE_FIELDS.spanId, record.spanId);
    return fields + this.#attributes(record.attributes);
  }

  #attributes(attributes: UsageRecord['attributes']): string {
    let fields = '';
    for (const name of Object.keys(attributes)) {
      const value = attributes[name];
      const key = escapeName(fieldOfAttribute(name, this.#tagNames));
      if (key === '') this.#onCleaned('name_empty');
      // always a float: the type may not depend on whether a number happens to be whole
      else if (typeof value === 'number') fields += this.#fieldText.float(key, value);
      else if (typeof value === 'boolean') fields += `,${key}=${value}`;
      else fields += this.#fieldText.string(key, value);
    }
    return fields;
  }
}

function tag(name: string, value: string): string {
  const escaped = escapeName(value);
  return escaped === '' ? '' : `,${escapeName(name)}=${escaped}`;
}

let second = '';
let secondDigits = '';

/** Nanoseconds since 1970 in digits: the record's time holds more of them than a number can. */
function nanoseconds(time: string): string {
  const whole = time.slice(0, 19);
  if (whole !== second) {
    secondDigits = String(Date.parse(`${whole}Z`) / 1000);
    second = whole;
  }
  return secondDigits + time.slice(20, 29);
}
