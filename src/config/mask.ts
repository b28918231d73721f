import type { EffectiveSetting } from './effective-setting.ts';
import type { Setting } from './setting.ts';

/** A value that may be shown: secrets as asterisks, addresses without who signs in and without query. */
export function shownValue({ setting, value }: EffectiveSetting): unknown {
  return setting.secret === true && value !== undefined ? '********' : withoutLogin(setting, value);
}

/** The same of a value that was not taken, which may be of any form. */
export function shownWrongValue(setting: Setting, value: unknown): unknown {
  return setting.secret === true ? '(secret)' : withoutLogin(setting, value);
}

/** By hand: what is no address to `URL`, as one of several hosts is none, may hold a password too. */
function withoutLogin({ kind }: Setting, value: unknown): unknown {
  if ((kind.type !== 'url' && kind.type !== 'redis') || typeof value !== 'string') return value;
  return value.replace(/[?#].*$/s, '').replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1********@');
}
