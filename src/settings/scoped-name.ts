/** Whom a switch is for: all calls, or those of one team or service. */
export type SettingScope = 'team' | 'service';

/** Such as `enabled@team:search`: the value of a setting for the calls of one team or service. */
export interface ScopedName {
  readonly key: string;
  readonly scope: SettingScope;
  readonly name: string;
}

const SCOPED = /^([a-z][a-z0-9_]*)@(team|service):(.{1,256})$/su;

/** Undefined for the name of a setting of all calls. */
export function parseScopedName(text: string): ScopedName | undefined {
  const [, key, scope, name] = SCOPED.exec(text) ?? [];
  if (key === undefined || scope === undefined || name === undefined) return undefined;
  return { key, scope: scope as SettingScope, name };
}
