import type { AlertRule } from './alert-rule.ts';

/**
 * Whether what a rule finds for `key` is about calls of these teams alone. Not so for a user or a model
 * that any team may have. Without `key`: whether the rule itself is.
 */
export function isOfTeams(
  { by, filter }: Pick<AlertRule, 'by' | 'filter'>,
  key: string | null | undefined,
  teams: readonly string[],
): boolean {
  if (by === 'team' && typeof key === 'string') return teams.includes(key);
  const asked: readonly (string | null)[] | undefined =
    filter?.team === undefined ? undefined : [filter.team].flat();
  return asked !== undefined && asked.every((team) => team !== null && teams.includes(team));
}
