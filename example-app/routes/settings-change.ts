import type { Context } from 'koa';
import {
  type PatchOptions,
  type SettingsPatch,
  type SettingsService,
  TokenMeterError,
} from 'otel-token-meter/settings';
import { identityOf } from '../middleware/authentication.ts';
import { type ShownSettings, etagOf, shownSettings } from './settings-wire.ts';

export function describeSettings<T extends object>(
  ctx: Context,
  { status }: SettingsService<T>,
  shown: ShownSettings<unknown>,
): void {
  ctx.set('cache-control', 'no-cache');
  ctx.set('etag', etagOf(shown));
  ctx.set('settings-version', String(shown.version));
  if (status.staleSince !== undefined) ctx.set('settings-stale-since', status.staleSince);
}

/** Who makes a change, why and for how long. */
export function attributed(
  ctx: Context,
  { reason, until }: { readonly reason?: string | undefined; readonly until?: string | undefined },
): PatchOptions {
  return {
    actor: identityOf(ctx)?.name ?? 'unknown',
    ...(reason && { reason }),
    ...(until !== undefined && { until: new Date(until) }),
  };
}

/** Applies a merge patch. Throws 412 for another version, 503 where the store took no change. */
export async function changeSettings<T extends object>(
  ctx: Context,
  settings: SettingsService<T>,
  patch: SettingsPatch<T>,
  options: PatchOptions,
): Promise<ShownSettings<T>> {
  try {
    const changed = await fromStore(ctx, settings.patch(patch, options));
    return { ...changed, epoch: settings.epoch };
  } catch (error) {
    if (!isConflict(error)) throw error;
    return refuseOlder(ctx, settings, shownSettings(settings));
  }
}

/** Throws 412 with what is in force. */
function refuseOlder<T extends object>(
  ctx: Context,
  { updated }: SettingsService<T>,
  current: ShownSettings<unknown>,
): never {
  return ctx.throw(
    412,
    `${updated.by ?? 'Somebody else'} changed the settings since you read them.`,
    {
      code: 'version_mismatch',
      headers: { etag: etagOf(current) },
      extensions: { version: current.version, current: current.settings },
    },
  );
}

export function isConflict(error: unknown): boolean {
  return error instanceof TokenMeterError && error.code === 'SETTINGS_CONFLICT';
}

/** Never the store's own words: they name hosts and paths. */
export async function fromStore<R>(ctx: Context, answer: Promise<R>): Promise<R> {
  try {
    return await answer;
  } catch (error) {
    const code = error instanceof TokenMeterError ? error.code : undefined;
    if (code === 'INVALID_SETTINGS') {
      return ctx.throw(422, (error as Error).message, { code: 'invalid_request' });
    }
    if (code === 'STORE_READ_ONLY') {
      return ctx.throw(
        503,
        'The settings store refuses changes; the log of the application says why.',
        {
          code: 'store_read_only',
          expose: true,
        },
      );
    }
    if (code !== 'STORE_UNAVAILABLE') throw error;
    return ctx.throw(
      503,
      'The settings store cannot be reached. The last known settings stay in force.',
      {
        code: 'store_unavailable',
        expose: true,
        headers: { 'retry-after': '5' },
      },
    );
  }
}
