import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import type { SettingsPatch, SettingsService } from 'otel-token-meter/settings';
import { z } from 'zod';
import { identityOf } from '../middleware/authentication.ts';
import { entityTags, isKnown } from '../middleware/etag.ts';
import { RateLimit } from '../middleware/rate-limit.ts';
import { ifMatch, ifNoneMatch } from './api-headers.ts';
import type { ApiAnswer } from './api-answer.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { checked } from './checked.ts';
import { mergePatch } from './merge-patch.ts';
import { changeSettings, describeSettings, fromStore, isConflict } from './settings-change.ts';
import {
  STORE_AWAY,
  type SettingsDocument,
  type SettingsRoutesOptions,
  documentRoutes,
  reasonQuery,
  settingsHeaders,
  versionMismatch,
} from './settings-document.ts';
import { type ShownSettings, versionAskedFor } from './settings-wire.ts';

type Collection<V> = Readonly<Record<string, V>>;

/** A document whose members are definitions of one kind, by id. */
export interface SettingsCollection<V> extends SettingsDocument<Collection<V>> {
  /** For summaries and codes: `budget`. */
  readonly one: string;
  readonly idSchema: z.ZodType<string>;
  readonly itemSchema: z.ZodType;
}

/** Rounds of a change among many writers: in each, one of them gets through. */
const MAX_ROUNDS = 20;

/**
 * The routes of the document, and of each definition in it. A change of one definition is compared with
 * that definition alone: two people who change different ones do not meet.
 */
export function collectionRoutes<V extends object>(
  collection: SettingsCollection<V>,
  options: SettingsRoutesOptions<Collection<V>>,
): readonly ApiRoute[] {
  const { settings, changesPerMinute = 60 } = options;
  const { path, noun, one, schema, idSchema, itemSchema, bodyLimitBytes } = collection;
  const limit = new RateLimit({ perMinute: changesPerMinute });
  const params = z.strictObject({ id: idSchema.describe(`Id of the ${one}`) });
  const shown = collection.shown ?? ((_ctx: Context, all: Collection<V>) => all);
  const item = `${path}/{id}`;
  const found = { description: 'With ETag', schema: itemSchema, headers: settingsHeaders };
  const missing: ApiAnswer = { description: `There is no such ${one}` };
  const refused = versionMismatch(itemSchema);
  return [
    ...documentRoutes(collection, options),
    apiRoute({
      method: 'put',
      path,
      summary: `Replace all ${noun} that were set by the API; configured ones stay`,
      role: 'admin',
      limit,
      query: reasonQuery,
      body: { schema, limitBytes: bodyLimitBytes },
      headers: z.object(ifMatch),
      answers: {
        200: { description: `The ${noun} after the change`, schema, headers: settingsHeaders },
        412: versionMismatch(schema),
        503: STORE_AWAY,
      },
      async handle(ctx, { query, body }) {
        const changed = await replaceAll(ctx, settings, query, body as Collection<V>);
        ctx.body = changed.settings;
        describeSettings(ctx, settings, changed);
      },
    }),
    apiRoute({
      method: 'get',
      path: item,
      summary: `One ${one}`,
      role: 'viewer',
      params,
      headers: z.object(ifNoneMatch),
      answers: {
        200: found,
        304: { description: `If-None-Match named this ${one}`, headers: settingsHeaders },
        404: missing,
      },
      handle(ctx, { params: { id } }) {
        const definition = member(shown(ctx, settings.get()), id) ?? unknown(ctx, one);
        describeItem(ctx, settings, definition);
        if (isKnown(ctx, itemTag(definition))) ctx.status = 304;
        else ctx.body = definition;
      },
    }),
    apiRoute({
      method: 'put',
      path: item,
      summary: `Create or replace a ${one}; If-None-Match: * refuses to replace`,
      role: 'admin',
      limit,
      params,
      query: reasonQuery,
      body: { schema: itemSchema, limitBytes: bodyLimitBytes },
      headers: z.object({ ...ifMatch, ...ifNoneMatch }),
      answers: {
        200: found,
        201: { ...found, description: `The ${one} is new` },
        412: refused,
        503: STORE_AWAY,
      },
      async handle(ctx, { params: { id }, query, body }) {
        const { before, after } = await changeItem(ctx, settings, id, query, () => body as V);
        ctx.status = before === undefined ? 201 : 200;
        answerItem(ctx, settings, after);
      },
    }),
    apiRoute({
      method: 'patch',
      path: item,
      summary: `Change a ${one} by a JSON merge patch; null removes a member`,
      role: 'admin',
      limit,
      params,
      query: reasonQuery,
      body: {
        schema: z.looseObject({}),
        limitBytes: bodyLimitBytes,
        types: ['application/merge-patch+json'],
      },
      headers: z.object(ifMatch),
      answers: { 200: found, 404: missing, 412: refused, 503: STORE_AWAY },
      async handle(ctx, { params: { id }, query, body }) {
        const { after } = await changeItem(ctx, settings, id, query, (current) => {
          const merged = mergePatch(current ?? unknown(ctx, one), body);
          return checked(ctx, itemSchema, 'body', merged) as V;
        });
        answerItem(ctx, settings, after);
      },
    }),
    apiRoute({
      method: 'delete',
      path: item,
      summary: `Remove a ${one}; one of the configuration goes back to what is configured`,
      role: 'admin',
      limit,
      params,
      query: reasonQuery,
      headers: z.object(ifMatch),
      answers: {
        200: { ...found, description: 'The configured definition, in force again' },
        204: { description: 'It is removed' },
        404: missing,
        409: { description: 'It is configured, and nothing was set by the API' },
        412: refused,
        503: STORE_AWAY,
      },
      async handle(ctx, { params: { id }, query }) {
        const { after } = await changeItem(ctx, settings, id, query, (current) => {
          if (current === undefined) return unknown(ctx, one);
          if (current !== member(settings.defaults, id)) return null;
          return ctx.throw(409, `This ${one} is in the configuration: remove it there.`, {
            code: 'configured',
          });
        });
        if (after === undefined) ctx.status = 204;
        else answerItem(ctx, settings, after);
      },
    }),
  ];
}

/** Replaces what was set by the API, all of it as one change. */
async function replaceAll<V extends object>(
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
async function changeItem<V extends object>(
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

function attributed(
  ctx: Context,
  { reason }: z.output<typeof reasonQuery>,
): { readonly actor: string; readonly reason?: string } {
  return { actor: identityOf(ctx)?.name ?? 'unknown', ...(reason && { reason }) };
}

function answerItem<V extends object>(
  ctx: Context,
  settings: SettingsService<Collection<V>>,
  definition: V | undefined,
): void {
  ctx.body = definition;
  if (definition !== undefined) describeItem(ctx, settings, definition);
}

function describeItem<V extends object>(
  ctx: Context,
  { version, status }: SettingsService<Collection<V>>,
  definition: V,
): void {
  ctx.set('cache-control', 'no-cache');
  ctx.set('etag', itemTag(definition));
  ctx.set('settings-version', String(version));
  if (status.staleSince !== undefined) ctx.set('settings-stale-since', status.staleSince);
}

/** Of the content: a definition that was changed and changed back is the same one. */
function itemTag(definition: object): string {
  const digest = createHash('sha256').update(JSON.stringify(definition)).digest('base64url');
  return `"${digest.slice(0, 16)}"`;
}

function member<V>(all: Collection<V>, id: string): V | undefined {
  return Object.hasOwn(all, id) ? all[id] : undefined;
}

function unknown(ctx: Context, one: string): never {
  return ctx.throw(404, `There is no such ${one}.`, { code: `unknown_${one}` });
}
