import type { UsageAttributeValue } from '../domain/usage-record.ts';
import { fileProblem } from './file-problem.ts';

/** Which calls an entry of the price file is for. */
export interface ScopeEntry {
  /** `gen_ai.provider.name`. Absent matches any provider. */
  readonly provider?: string;
  /** Exact model name, or a prefix ending in `*`. */
  readonly model?: string;
  /** Attributes of the record, all of which must have the given value: `{ "team": "search" }`. */
  readonly attributes?: Readonly<Record<string, UsageAttributeValue>>;
  /** Start of validity, RFC 3339 or a date (UTC). */
  readonly from?: string;
  /** End of validity, exclusive. */
  readonly until?: string;
}

export const SCOPE_MEMBERS = ['provider', 'model', 'attributes', 'from', 'until'] as const;

/** What a scope is compared with. */
export interface ScopedCall {
  readonly provider: string;
  readonly model: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly attributes?: Readonly<Record<string, UsageAttributeValue>> | undefined;
}

export interface Scope {
  fits(call: ScopedCall): boolean;
  /** Whether it fits every call that the other one fits. */
  covers(other: Scope): boolean;
  readonly provider: string | undefined;
  /** A name, or a prefix ending in `*`. */
  readonly model: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  /** The attributes that it asks for, for people: `team=search`. */
  readonly attributes: readonly string[];
}

export function parseScope(
  entry: Readonly<Record<string, unknown>>,
  where: string,
  { needsModel }: { readonly needsModel: boolean },
): Scope {
  const { model, provider } = entry;
  if ((needsModel || model !== undefined) && (typeof model !== 'string' || model === '')) {
    return fileProblem(`${where}.model`, model, 'a model name, or a prefix ending in *');
  }
  if (provider !== undefined && (typeof provider !== 'string' || provider === '')) {
    return fileProblem(`${where}.provider`, provider, 'a provider name');
  }
  const from = instant(entry['from'], `${where}.from`, -Infinity);
  const until = instant(entry['until'], `${where}.until`, Infinity);
  if (from >= until) {
    return fileProblem(
      `${where}.until`,
      entry['until'],
      `later than from, which is ${String(entry['from'])}`,
    );
  }
  const pairs = attributesOf(entry['attributes'], `${where}.attributes`);
  const name = typeof model === 'string' ? model : '*';
  const prefix = name.endsWith('*') ? name.slice(0, -1) : undefined;
  const attributes = pairs.map(([key, value]) => `${key}=${value}`);
  const hasModel = (given: string): boolean =>
    prefix === undefined ? given === name : given.startsWith(prefix);
  return {
    provider,
    model: name,
    from,
    until,
    attributes,
    fits: (call) =>
      (provider === undefined || provider === call.provider) &&
      hasModel(call.model) &&
      call.time >= from &&
      call.time < until &&
      pairs.every(([key, value]) => String(call.attributes?.[key]) === value),
    covers: (other) =>
      (provider === undefined || provider === other.provider) &&
      (other.model.endsWith('*')
        ? prefix !== undefined && other.model.slice(0, -1).startsWith(prefix)
        : hasModel(other.model)) &&
      from <= other.from &&
      until >= other.until &&
      attributes.every((attribute) => other.attributes.includes(attribute)),
  };
}

function instant(value: unknown, where: string, absent: number): number {
  if (value === undefined) return absent;
  return typeof value === 'string' && isDateOrTime(value)
    ? Date.parse(value)
    : fileProblem(
        where,
        value,
        'a date such as 2026-01-31, or a time such as 2026-01-31T08:00:00Z',
      );
}

const DATE_OR_TIME =
  /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** A date, or a time with its offset: without one it would be that of the machine. */
export function isDateOrTime(text: string): boolean {
  const [, date] = DATE_OR_TIME.exec(text) ?? [];
  if (date === undefined || Number.isNaN(Date.parse(text))) return false;
  // `Date` would take 30 February for 2 March.
  return new Date(date).toISOString().startsWith(date);
}

function attributesOf(value: unknown, where: string): readonly (readonly [string, string])[] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fileProblem(where, value, 'an object such as { "team": "search" }');
  }
  return Object.entries(value).map(([key, wanted]) => {
    if (!['string', 'number', 'boolean'].includes(typeof wanted)) {
      return fileProblem(`${where}.${key}`, wanted, 'a text, a number, true or false');
    }
    return [key, String(wanted)];
  });
}
