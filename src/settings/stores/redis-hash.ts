import { type StoredSettings, sameValues } from '../stored-settings.ts';
import { toStoredSettings } from '../stored-settings-json.ts';

/**
 * A stored state as the fields of a hash. `store`, `epoch` and `version` as they are; `time`, `actor`,
 * `passing` and values as JSON text, values under their quoted names, so that one may be called `version`. Any
 * other field is carried along as it is.
 */
export function stateOfHash(hash: Readonly<Record<string, string>>): StoredSettings | undefined {
  const { store, epoch, version = '0', time = '', actor = '', ...others } = hash;
  const values: [string, unknown][] = [];
  const extra: [string, unknown][] = [];
  for (const [field, text] of Object.entries(others)) {
    const name = field.startsWith('"') ? parsed(field) : undefined;
    if (typeof name === 'string') values.push([name, parsed(text)]);
    else extra.push([field, parsed(text)]);
  }
  const updatedAt = time === '' ? undefined : parsed(time);
  const updatedBy = actor === '' ? undefined : parsed(actor);
  return toStoredSettings({
    ...Object.fromEntries(extra),
    store,
    epoch: Number(epoch),
    version: /^\d+$/.test(version) ? Number(version) : version,
    values: Object.fromEntries(values),
    updatedAt,
    updatedBy,
  });
}

export interface HashChange {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** What turns one state into the next. Fields that did not change stay untouched, byte by byte. */
export function hashChange(
  hash: Readonly<Record<string, string>>,
  before: StoredSettings,
  after: StoredSettings,
): HashChange {
  const { store, epoch, version, updatedAt, updatedBy, values, passing, extra = {} } = after;
  const set: Record<string, string> = {
    ...(store !== undefined && { store, epoch: String(epoch ?? 1) }),
    version: String(version),
    ...(updatedAt !== undefined && { time: JSON.stringify(updatedAt) }),
    ...(updatedBy !== undefined && { actor: JSON.stringify(updatedBy) }),
  };
  const kept = new Set(['store', 'epoch', 'version', 'time', 'actor']);
  const put = (field: string, isSame: boolean, value: unknown): void => {
    kept.add(field);
    if (!isSame || hash[field] === undefined) set[field] = JSON.stringify(value);
  };
  for (const [key, value] of Object.entries(values)) {
    const isSame = sameValues({ value: before.values[key] }, { value });
    put(JSON.stringify(key), isSame, value);
  }
  if (passing !== undefined) {
    put('passing', sameValues({ value: before.passing }, { value: passing }), passing);
  }
  for (const [field, value] of Object.entries(extra)) {
    put(field, sameValues({ value: before.extra?.[field] }, { value }), value);
  }
  return { set, remove: Object.keys(hash).filter((field) => !kept.has(field)) };
}

/** A field set by hand may hold a bare word. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
