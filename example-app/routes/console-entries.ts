import { OPEN_NAME, OPEN_NAME_TEXT } from 'otel-token-meter/settings';
import { z } from 'zod';
import { teamsOf } from '../middleware/authentication.ts';
import type { ApiRoute } from './api-route.ts';
import { type SettingsCollection, collectionRoutes } from './settings-collection.ts';
import type { SettingsRoutesOptions } from './settings-document.ts';

const BODY_LIMIT_BYTES = 64 * 1024;

const entryId = z.string().regex(OPEN_NAME, `must be ${OPEN_NAME_TEXT}`);

const annotation = z.strictObject({
  kind: z.literal('annotation'),
  time: z.iso.datetime({ offset: true }).describe('Where charts are marked'),
  text: z.string().trim().min(1).max(200).describe('Such as: Release 1.4.0'),
});

const savedView = z.strictObject({
  kind: z.literal('view'),
  name: z.string().trim().min(1).max(100),
  address: z
    .string()
    .max(4096)
    .regex(/^\/[a-z]*(\?[^\s#]*)?$/, 'must be a path of the console with its parameters')
    .describe('Such as /users?range=30d&sort=-cost_usd'),
});

const consoleEntry = z
  .discriminatedUnion('kind', [annotation, savedView])
  .meta({ id: 'ConsoleEntry' });

export type ConsoleEntry = z.output<typeof consoleEntry>;
export type ConsoleEntries = Readonly<Record<string, ConsoleEntry>>;

/** What is wrong with one; undefined for nothing. */
export function entryProblem(value: unknown): string | undefined {
  const { error } = consoleEntry.safeParse(value);
  const [issue] = error?.issues ?? [];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
}

/** Annotations of charts and saved views, which all viewers share. They may name any team. */
const entries: SettingsCollection<ConsoleEntry> = {
  path: '/api/settings/console',
  noun: 'annotations and saved views',
  one: 'entry',
  events: { settings: 'console', status: 'console_status', instances: 'console_instances' },
  hasIds: false,
  schema: z.record(entryId, consoleEntry).meta({ id: 'ConsoleEntries' }),
  patchSchema: z.record(entryId, consoleEntry.nullable()),
  idSchema: entryId,
  itemSchema: consoleEntry,
  bodyLimitBytes: BODY_LIMIT_BYTES,
  shown: (ctx, all) => (teamsOf(ctx) === undefined ? all : {}),
  shownEntry: (ctx, entry) => (teamsOf(ctx) === undefined ? entry : undefined),
};

export function consoleEntriesRoutes(
  options: SettingsRoutesOptions<ConsoleEntries>,
): readonly ApiRoute[] {
  return collectionRoutes(entries, options);
}
