import { type Parameters, queryOf } from '../api/client.ts';
import { type Period, periodOf, timeZone } from './period.ts';
import type { View } from './view.ts';

/** What answers are shown with. */
export interface Context {
  readonly view: View;
  readonly period: Period;
}

/** Range and filters of a view, as the API takes them. */
export function parametersOf({ view, period }: Context): Parameters {
  return {
    from: period.from.toISOString(),
    // A live view ends at the server's time, since this clock may differ.
    ...(!period.live && { to: period.to.toISOString() }),
    time_zone: timeZone,
    ...view.filters,
  };
}

/** Address of a file with what a view shows. */
export function fileOf(path: string, view: View, parameters: Parameters = {}): string {
  const period = periodOf(view.range, new Date());
  return path + queryOf({ ...parametersOf({ view, period }), ...parameters });
}
