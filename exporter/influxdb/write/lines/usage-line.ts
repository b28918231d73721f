import { stepsText } from '../../../../src/domain/agent-step.ts';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { Ascii } from './ascii.ts';
import { DimensionTags } from './dimension-tags.ts';
import { cleanTag, escapeName, isPlainTag } from './escaping.ts';
import { FieldWriter } from './field-writer.ts';
import { LineBuffer } from './line-buffer.ts';
import { fieldOfAttribute, USAGE_FIELDS, USAGE_MEASUREMENT, USER_TAG } from '../../usage-schema.ts';
import { BoundedTag } from './bounded-tag.ts';

export interface UsageLineOptions {
  /** Constant tags on every line. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Different user tags a day (UTC); everybody beyond is `(other)`. */
  readonly maxUserTags: number;
  /** Different tags a day of the team, and of each dimension; all values beyond are `(other)`. */
  readonly maxDimensionTags: number;
  /** Told of every value that is left out or cut while its record goes on. */
  readonly onCleaned: (reason: string) => void;
}

/** `,name=` of each field of the ledger. */
const LEADS = Object.fromEntries(
  Object.entries(USAGE_FIELDS).map(([key, name]) => [key, new Ascii(`,${name}=`)]),
) as Readonly<Record<keyof typeof USAGE_FIELDS, Ascii>>;

const MAX_PREFIXES = 5000;
const MAX_LINE_BYTES = 1_000_000;

/** What the tags of a record are made of, but its user. */
interface TagSource {
  readonly record: UsageRecord;
  readonly environment: string;
  readonly prefix: Buffer;
  /** Whether the tag says the model as it is. */
  readonly isModelPlain: boolean;
}

/** Writes usage records as lines; keeps the escaped tag prefixes it has seen. */
export class UsageLineWriter {
  readonly #constantTags: string;
  readonly #tagNames: ReadonlySet<string>;
  readonly #users: BoundedTag;
  readonly #dimensions: DimensionTags;
  readonly #line = new LineBuffer();
  readonly #fields: FieldWriter;
  readonly #onCleaned: (reason: string) => void;
  /** By model: with it few others change. */
  readonly #prefixes = new Map<string, TagSource[]>();
  #prefixCount = 0;

  constructor(options: UsageLineOptions) {
    const tags = Object.entries(options.tags ?? {});
    this.#constantTags = tags.map(([name, value]) => tag(name, value)).join('');
    this.#tagNames = new Set(tags.map(([name]) => name));
    this.#users = new BoundedTag(options.maxUserTags);
    this.#dimensions = new DimensionTags(options.maxDimensionTags, this.#tagNames);
    this.#fields = new FieldWriter(this.#line, options.onCleaned);
    this.#onCleaned = options.onCleaned;
  }

  /**
   * The server takes no more values of a tag, and not this one (escaped): they are `(other)` from here on.
   * False for a tag whose values cannot be told in another way.
   */
  refuseTag(tag: string, value: string): boolean {
    if (tag !== USER_TAG) return this.#dimensions.refused(tag, value);
    this.#users.refused(value);
    return true;
  }

  /**
   * One line without its newline, good until the next is written; undefined when it is too long for
   * any server.
   */
  line(record: UsageRecord, environment = ''): LineBuffer | undefined {
    const { userId, time } = record;
    const line = this.#line;
    line.clear();
    const { prefix, isModelPlain } = this.#tagsOf(record, environment);
    line.bytes(prefix);
    if (userId !== undefined && !this.#tagNames.has('user_id')) {
      const user = this.#users.value(userId);
      if (user !== '') {
        line.text(',user_id=');
        line.text(user);
      }
    }
    const dimensions = this.#dimensions.of(record);
    for (const { tag } of dimensions) line.text(tag);
    line.text(' calls=1i');
    this.#writeFields(record);
    for (const { exact, value } of dimensions) {
      if (exact !== undefined) this.#fields.string(exact, value);
    }
    if (!isModelPlain) this.#fields.string(LEADS.requestModel, record.requestModel);
    this.#writeAttributes(record.attributes);
    line.text(' ');
    line.text(secondsOf(time));
    line.text(time.slice(20, 29));
    return line.length > MAX_LINE_BYTES ? undefined : line;
  }

  #tagsOf(record: UsageRecord, environment: string): TagSource {
    const { requestModel } = record;
    const known = this.#prefixes.get(requestModel);
    if (known !== undefined) {
      for (const one of known) {
        if (one.environment === environment && hasSameTags(one.record, record)) return one;
      }
    }
    if (this.#prefixCount++ >= MAX_PREFIXES) {
      this.#prefixes.clear();
      this.#prefixCount = 1;
    }
    const prefix = Buffer.from(
      USAGE_MEASUREMENT +
        this.#constantTags +
        this.#tag('environment', environment) +
        this.#tag('model', requestModel) +
        this.#tag('operation', record.operation) +
        this.#tag('outcome', record.outcome) +
        this.#tag('provider', record.provider) +
        this.#tag('service', record.service) +
        this.#tag('token_source', record.tokenSource ?? ''),
    );
    const made = { record, environment, prefix, isModelPlain: isPlainTag(requestModel) };
    this.#prefixes.set(requestModel, [...(this.#prefixes.get(requestModel) ?? []), made]);
    return made;
  }

  /** A constant tag stands for the record's own. */
  #tag(name: string, value: string): string {
    return this.#tagNames.has(name) ? '' : tag(name, value);
  }

  #writeFields(record: UsageRecord): void {
    const fields = this.#fields;
    fields.integer(LEADS.inputTokens, record.inputTokens);
    fields.integer(LEADS.outputTokens, record.outputTokens);
    fields.integer(LEADS.totalTokens, record.totalTokens);
    fields.integer(LEADS.cacheReadTokens, record.cacheReadTokens);
    fields.integer(LEADS.cacheWriteTokens, record.cacheWriteTokens);
    fields.integer(LEADS.reasoningTokens, record.reasoningTokens);
    fields.float(LEADS.durationMs, record.durationMs);
    fields.float(LEADS.timeToFirstChunkMs, record.timeToFirstChunkMs);
    fields.float(LEADS.costUsd, record.costUsd);
    fields.string(LEADS.costSource, record.costSource);
    fields.string(LEADS.costMissing, record.costMissing?.join(' '));
    fields.string(LEADS.serviceTier, record.serviceTier);
    fields.string(LEADS.user, record.userId);
    fields.string(LEADS.conversationId, record.conversationId);
    fields.string(LEADS.agentName, record.agentName);
    fields.string(LEADS.runId, record.runId);
    fields.string(LEADS.toolName, record.toolName);
    fields.string(LEADS.steps, record.steps && stepsText(record.steps));
    fields.string(LEADS.recordId, record.id);
    fields.string(LEADS.responseId, record.responseId);
    fields.string(LEADS.responseModel, record.responseModel);
    fields.string(LEADS.errorType, record.errorType);
    fields.string(LEADS.traceId, record.traceId);
    fields.string(LEADS.spanId, record.spanId);
  }

  #writeAttributes(attributes: UsageRecord['attributes']): void {
    /** Names that were the same one only after cleaning: a second field would replace the first. */
    let cleaned: Set<string> | undefined;
    for (const name in attributes) {
      const value = attributes[name];
      const field = fieldOfAttribute(name, this.#tagNames);
      const key = escapeName(field);
      if (key !== field) {
        cleaned ??= new Set(
          Object.keys(attributes).map((one) => fieldOfAttribute(one, this.#tagNames)),
        );
        if (key === '' || (cleaned.has(cleanTag(field)) && cleanTag(field) !== field)) {
          this.#onCleaned('name_unusable');
          continue;
        }
        cleaned.add(cleanTag(field));
      }
      // always a float: the type may not depend on whether a number happens to be whole
      if (typeof value === 'number') this.#fields.float(`,${key}=`, value);
      else if (typeof value === 'boolean') this.#fields.boolean(`,${key}=`, value);
      else this.#fields.string(`,${key}=`, value);
    }
  }
}

function hasSameTags(one: UsageRecord, other: UsageRecord): boolean {
  return (
    one.operation === other.operation &&
    one.outcome === other.outcome &&
    one.provider === other.provider &&
    one.service === other.service &&
    one.tokenSource === other.tokenSource
  );
}

/** `,name=value`, escaped; '' when nothing is left of the value. */
export function tag(name: string, value: string): string {
  const escaped = escapeName(value);
  return escaped === '' ? '' : `,${escapeName(name)}=${escaped}`;
}

let second = '';
let secondDigits = '';

/** Nanoseconds since 1970 in digits: the record's time holds more of them than a number can. */
export function nanoseconds(time: string): string {
  return secondsOf(time) + time.slice(20, 29);
}

function secondsOf(time: string): string {
  if (second === '' || !time.startsWith(second)) {
    second = time.slice(0, 19);
    secondDigits = String(Date.parse(`${second}Z`) / 1000);
  }
  return secondDigits;
}
