import type { EffectiveSetting } from './effective-setting.ts';
import type { Setting } from './setting.ts';

/** A printable value: secrets as asterisks, URLs without credentials and query. */
export function shownValue({ setting, value }: EffectiveSetting): unknown {
  return setting.secret === true && value !== undefined ? '********' : withoutLogin(setting, value);
}

/** The same for a rejected value, which may have any type. */
export function shownWrongValue(setting: Setting, value: unknown): unknown {
  return setting.secret === true ? '(secret)' : withoutLogin(setting, value);
}

/** Does not use `URL`, which rejects lists of hosts: these may contain a password too. */
function withoutLogin({ kind }: Setting, value: unknown): unknown {
  if ((kind.type !== 'url' && kind.type !== 'redis') || typeof value !== 'string') return value;
  return value.replace(/[?#].*$/s, '').replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1********@');
}
