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
  if (provider !== undefined && typeof provider !== 'string') {
    return fileProblem(`${where}.provider`, provider, 'a provider name');
  }
  const from = instant(entry['from'], `${where}.from`, -Infinity);
  const until = instant(entry['until'], `${where}.until`, Infinity);
  const attributes = attributesOf(entry['attributes'], `${where}.attributes`);
  const name = typeof model === 'string' ? model : '*';
  const prefix = name.endsWith('*') ? name.slice(0, -1) : undefined;
  return {
    attributes: attributes.map(([key, value]) => `${key}=${value}`),
    fits: (call) =>
      (provider === undefined || provider === call.provider) &&
      (prefix === undefined ? call.model === name : call.model.startsWith(prefix)) &&
      call.time >= from &&
      call.time < until &&
      attributes.every(([key, value]) => String(call.attributes?.[key]) === value),
  };
}

function instant(value: unknown, where: string, absent: number): number {
  if (value === undefined) return absent;
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? fileProblem(where, value, 'a date such as 2026-01-31') : time;
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
