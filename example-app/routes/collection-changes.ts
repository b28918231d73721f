import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import type { SettingsPatch, SettingsService } from 'otel-token-meter/settings';
import type { z } from 'zod';
import { entityTags } from '../middleware/etag.ts';
import { attributed, changeSettings, fromStore, isConflict } from './settings-change.ts';
import type { reasonQuery } from './settings-document.ts';
import { type ShownSettings, versionAskedFor } from './settings-wire.ts';

/** Definitions by id. */
export type Collection<V> = Readonly<Record<string, V>>;

/** Rounds of a change among many writers: in each, one of them gets through. */
const MAX_ROUNDS = 20;

/** Replaces what was set by the API, all of it as one change. */
export async function replaceAll<V extends object>(
  ctx: Context,
  settings: SettingsService<Collection<V>>,
  query: z.output<typeof reasonQuery>,
  wanted: Collection<V>,
): Promise<ShownSettings<Collection<V>>> {
  const asked = versionAskedFor(ctx.get('if-match'), settings);
  return await inRounds(ctx, async () => {
    const ifVersion = asked ?? settings.version;
    const removed = Object.keys(settings.get()).map((id) => [id, null] as const);
    const patch = { ...Object.fromEntries(removed), ...wanted } as SettingsPatch<Collection<V>>;
    const options = { ...attributed(ctx, query), ifVersion };
    if (asked !== undefined) return await changeSettings(ctx, settings, patch, options);
    const changed = await fromStore(ctx, settings.patch(patch, options));
    return { ...changed, epoch: settings.epoch };
  });
}

/**
 * Changes one definition. The conditions of the request hold for that definition; a change of another
 * one meanwhile only means another round.
 */
export async function changeItem<V extends object>(
  ctx: Context,
  settings: SettingsService<Collection<V>>,
  id: string,
  query: z.output<typeof reasonQuery>,
  next: (current: V | undefined) => V | null,
): Promise<{ readonly before: V | undefined; readonly after: V | undefined }> {
  return await inRounds(ctx, async () => {
    const { version: ifVersion } = settings;
    const before = member(settings.get(), id);
    requireMatch(ctx, settings, before);
    const patch = { [id]: next(before) } as SettingsPatch<Collection<V>>;
    const options = { ...attributed(ctx, query), ifVersion };
    const changed = await fromStore(ctx, settings.patch(patch, options));
    return { before, after: member(changed.settings, id) };
  });
}

/** Again after each conflict, with what is in force by then. */
async function inRounds<R>(ctx: Context, change: () => Promise<R>): Promise<R> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    try {
      return await change();
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  return ctx.throw(503, 'Too many changes at once; try again.', {
    code: 'too_many_changes',
    expose: true,
    headers: { 'retry-after': '1' },
  });
}

/** If-Match and If-None-Match of a change, RFC 9110 section 13. */
function requireMatch<V extends object>(
  ctx: Context,
  { version, updated }: SettingsService<Collection<V>>,
  current: V | undefined,
): void {
  const names = (header: string): boolean =>
    entityTags(ctx.get(header)).some((tag) =>
      tag === '*' ? current !== undefined : current !== undefined && tag === itemTag(current),
    );
  if (ctx.get('if-match') !== '' ? names('if-match') : !names('if-none-match')) return;
  ctx.throw(412, `${updated.by ?? 'Somebody else'} changed this since you read it.`, {
    code: 'version_mismatch',
    ...(current !== undefined && { headers: { etag: itemTag(current) } }),
    extensions: { version, current: current ?? null },
  });
}

/** Of the content: a definition that was changed and changed back is the same one. */
export function itemTag(definition: object): string {
  const digest = createHash('sha256').update(JSON.stringify(definition)).digest('base64url');
  return `"${digest.slice(0, 16)}"`;
}

export function member<V>(all: Collection<V>, id: string): V | undefined {
  return Object.hasOwn(all, id) ? all[id] : undefined;
}
