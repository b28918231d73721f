import type { TokenMeterConfig } from 'otel-token-meter/config';
import { configuredSettingsStore, openSchema, SettingsService } from 'otel-token-meter/settings';
import { type ConsoleEntries, type ConsoleEntry, entryProblem } from './routes/console-entries.ts';

/** More of them nobody reads. */
const MOST = 1000;

/** Saved views and annotations, in a store as the settings are. */
export function consoleEntries(
  store: ConstructorParameters<typeof SettingsService>[0]['store'],
  name?: string,
): SettingsService<ConsoleEntries> {
  return new SettingsService({
    schema: openSchema<ConsoleEntry>({
      type: 'object',
      description: 'A saved view or an annotation, by its id.',
      check: entryProblem,
      most: MOST,
    }),
    store,
    ...(name !== undefined && { instance: { name } }),
  });
}

export async function startLiveEntries(
  { settings }: TokenMeterConfig,
  name: string,
): Promise<SettingsService<ConsoleEntries>> {
  const entries = consoleEntries(configuredSettingsStore(settings, { document: 'console' }), name);
  await entries.start();
  return entries;
}
