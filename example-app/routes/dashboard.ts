import type { ApiRoute } from './api-route.ts';
import { type HealthSources, dashboardHealthRoute, healthOf } from './dashboard-health.ts';
import { type UsageEventsOptions, usageEventsRoute } from './usage-events.ts';

export interface DashboardRoutesOptions
  extends HealthSources, Pick<UsageEventsOptions, 'stopping' | 'everyMs'> {
  /** Undefined: nothing is stored here, so nothing ever happens. */
  readonly reader: UsageEventsOptions['reader'] | undefined;
}

/** What the dashboard asks besides `/api/usage` itself. */
export function dashboardRoutes(options: DashboardRoutesOptions): readonly ApiRoute[] {
  const { reader, stopping, everyMs, ...sources } = options;
  const health = dashboardHealthRoute(sources);
  if (reader === undefined) return [health];
  const events = usageEventsRoute({
    reader,
    health: (teams) => healthOf(sources, teams),
    stopping,
    ...(everyMs !== undefined && { everyMs }),
  });
  return [health, events];
}
