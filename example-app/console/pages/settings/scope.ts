import type { MetricsSettings } from '../../api/contract.ts';
import { isolated } from '../../names.tsx';
import { t, textOr } from '../../texts.ts';

export const KEYS = ['enabled', 'token_statistics'] as const;
export type Key = (typeof KEYS)[number];

/** Whom a switch is for; `name` is empty for all. */
export interface Scope {
  readonly of: 'all' | 'service' | 'team';
  readonly name: string;
}

export const ALL: Scope = { of: 'all', name: '' };
export const SCOPES = ['all', 'service', 'team'] as const;

/** As the API names it: `enabled@team:search`. */
export function memberOf(key: Key, { of, name }: Scope): string {
  return of === 'all' ? key : `${key}@${of}:${name.trim()}`;
}

/** What applies in a scope: its own value, or that of all calls. */
export function valueIn(settings: MetricsSettings, key: Key, scope: Scope): boolean {
  return settings[memberOf(key, scope)] ?? settings[key];
}

/** Members for one service or team. */
export function exceptionsIn(settings: MetricsSettings): readonly string[] {
  return Object.keys(settings)
    .filter((member) => member.includes('@'))
    .toSorted();
}

/** A member for people. */
export function memberText(member: string): string {
  const [, key = member, of = '', name = ''] = /^(\w+)@(team|service):(.*)$/s.exec(member) ?? [];
  const text = textOr(`settings.${key}`, isolated(key));
  return of === ''
    ? text
    : t('settings.scoped', {
        text,
        scope: textOr(`settings.scope.${of}`, of),
        name: isolated(name),
      });
}
