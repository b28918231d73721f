import type { Context } from 'koa';
import { type UsageReader, usageReaderOfTeams } from 'otel-token-meter/exporter';
import { teamsOf } from '../middleware/authentication.ts';

/** The ledger as the sender of a request may see it. */
export type ReaderFor = (ctx: Context) => UsageReader;

/** Sets of teams whose reader is kept. */
const MAX_KEPT = 100;

/**
 * Routes get the ledger by this alone, so that none can forget that a viewer may be limited to teams.
 * Who may see the same gets the same reader: answers that are kept for one are good for all of them.
 */
export function teamView(reader: UsageReader): ReaderFor {
  const kept = new Map<string, UsageReader>();
  return (ctx) => {
    const teams = teamsOf(ctx);
    if (teams === undefined) return reader;
    const name = JSON.stringify(teams.toSorted());
    const known = kept.get(name) ?? usageReaderOfTeams(reader, teams);
    kept.delete(name);
    kept.set(name, known);
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return known;
  };
}
