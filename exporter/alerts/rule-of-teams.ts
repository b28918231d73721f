import type { AlertRule } from './alert-rule.ts';

/**
 * The teams whose calls alone a rule watches, or what it finds for `key`. Undefined where calls of others may be
 * among them: of a user or a model that any team may have. Alerts and their history keep them, since the filter of
 * a rule may change.
 */
export function teamsWatched(
  { by, filter }: Pick<AlertRule, 'by' | 'filter'>,
  key?: string | null,
): readonly string[] | undefined {
  if (by === 'team' && typeof key === 'string') return [key];
  if (filter?.team === undefined) return undefined;
  const teams = [filter.team].flat();
  return teams.every((team) => team !== null) ? teams : undefined;
}

/** Whether something is about calls of these teams alone. */
export function isOfTeams(
  watched: readonly string[] | undefined,
  teams: readonly string[],
): boolean {
  return watched !== undefined && watched.every((team) => teams.includes(team));
}
