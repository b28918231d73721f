import type { Context } from 'koa';
import type { SettingsService } from 'otel-token-meter/settings';
import { z } from 'zod';
import { isKnown } from '../middleware/etag.ts';
import { RateLimit } from '../middleware/rate-limit.ts';
import { ifMatch, ifNoneMatch } from './api-headers.ts';
import type { ApiAnswer } from './api-answer.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { checked } from './checked.ts';
import { mergePatch } from './merge-patch.ts';
import { type Collection, changeItem, itemTag, member, replaceAll } from './collection-changes.ts';
import { describeSettings } from './settings-change.ts';
import {
  STORE_AWAY,
  type SettingsDocument,
  type SettingsRoutesOptions,
  documentRoutes,
  reasonQuery,
  settingsHeaders,
  versionMismatch,
} from './settings-document.ts';

/** A document whose members are definitions of one kind, by id. */
export interface SettingsCollection<V> extends SettingsDocument<Collection<V>> {
  /** For summaries and codes: `budget`. */
  readonly one: string;
  readonly idSchema: z.ZodType<string>;
  readonly itemSchema: z.ZodType;
}

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

function unknown(ctx: Context, one: string): never {
  return ctx.throw(404, `There is no such ${one}.`, { code: `unknown_${one}` });
}
