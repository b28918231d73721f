import type { EffectiveSetting } from './resolve.ts';

/** A value that may be shown: secrets as asterisks, addresses without their user information. */
export function shownValue({ setting, value }: EffectiveSetting): unknown {
  if (value === undefined) return undefined;
  if (setting.secret === true) return '********';
  if (setting.kind.type !== 'url' || typeof value !== 'string') return value;
  const url = new URL(value);
  if (url.username === '' && url.password === '' && url.search === '') return value;
  url.search = '';
  url.username = url.username === '' && url.password === '' ? '' : '********';
  url.password = '';
  return url.href;
}
