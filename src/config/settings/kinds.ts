import type { SettingKind } from '../setting.ts';

export const boolean: SettingKind = { type: 'boolean' };
export const string: SettingKind = { type: 'string' };
export const http: SettingKind = { type: 'url', protocols: ['http:', 'https:'] };
export const smtp: SettingKind = { type: 'url', protocols: ['smtp:', 'smtps:'] };
export const list: SettingKind = { type: 'list' };
export const oneOf = (...values: readonly string[]): SettingKind => ({ type: 'enum', values });
export const integer = (min: number, max: number): SettingKind => ({ type: 'integer', min, max });
export const seconds = (min: number, max: number): SettingKind => ({ type: 'seconds', min, max });

export const DAY_S = 86_400;
