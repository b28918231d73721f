import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import type { z } from 'zod';
import type { SettingsService, SettingsStatus } from 'otel-token-meter/settings';
import type { instanceList, passingChanges } from '../schemas.ts';
import type { Readiness } from './health.ts';
import { teamsOf } from '../middleware/authentication.ts';
import { entityTags } from '../middleware/etag.ts';

/** One version of the settings, as far as an answer shows it. */
export interface ShownSettings<T> {
  readonly settings: T;
  readonly version: number;
  readonly epoch: string;
}

export function shownSettings<T extends object>(settings: SettingsService<T>): ShownSettings<T> {
  return { settings: settings.get(), version: settings.version, epoch: settings.epoch };
}

/**
 * `"<version>-<epoch><content>"`. The version alone would not do: it counts within one epoch, and
 * instances with other configured defaults show another document of the same version.
 */
export function etagOf({ settings, version, epoch }: ShownSettings<unknown>): string {
  return `"${version}-${digest(epoch, EPOCH_LENGTH)}${digest(JSON.stringify(settings), 6)}"`;
}

/**
 * The version that If-Match asks for; a bare version will do. Undefined when any will, -1 when
 * nothing there names one of this epoch, so that it matches none.
 */
export function versionAskedFor(
  ifMatch: string,
  current: Pick<ShownSettings<unknown>, 'version' | 'epoch'>,
): number | undefined {
  const tags = entityTags(ifMatch);
  if (tags.length === 0 || tags.includes('*')) return undefined;
  const ownEpoch = digest(current.epoch, EPOCH_LENGTH);
  const versions = tags.map((tag) => {
    const [, version, epoch] =
      /^(?:W\/)?"?(\d{1,15})(?:-([\w-]{6})[\w-]{6}|-[\w-]*)?"?$/.exec(tag) ?? [];
    return version === undefined || (epoch ?? ownEpoch) !== ownEpoch ? -1 : Number(version);
  });
  return versions.includes(current.version) ? current.version : versions[0];
}

/** `degraded` while it is not known what applies, or while nothing can be changed. */
export function settingsReadiness({ state, problem }: SettingsStatus): Readiness {
  const degraded = state === 'unknown' || problem !== undefined;
  return { ready: true, degraded, state: state === 'ready' && degraded ? 'refusing' : state };
}

export type PassingList = z.output<typeof passingChanges>['changes'];

/** The first to end comes first. What is defined for others is not for a viewer of some teams. */
export function shownPassing<T extends object>(
  ctx: Context,
  { shown, isPassingShown = () => false }: PassingRules,
  { passing }: Pick<SettingsService<T>, 'passing'>,
): PassingList {
  const list = passingList(passing);
  if (shown === undefined || teamsOf(ctx) === undefined) return list;
  return list.filter(({ name }) => isPassingShown(ctx, name));
}

interface PassingRules {
  readonly shown?: unknown;
  readonly isPassingShown?: (ctx: Context, name: string) => boolean;
}

export function passingList(passing: SettingsService<object>['passing']): PassingList {
  return Object.entries(passing)
    .map(([name, change]) => ({ name, ...change }))
    .toSorted((a, b) => Date.parse(a.until) - Date.parse(b.until));
}

const EPOCH_LENGTH = 6;

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, length);
}

export type InstanceList = z.output<typeof instanceList>;

/** To a viewer of some teams, without details, where messages of a server may name others. */
export function shownInstances(ctx: Context, list: InstanceList): InstanceList {
  if (teamsOf(ctx) === undefined) return list;
  return { ...list, instances: list.instances.map(({ details: _details, ...rest }) => rest) };
}

/** Every instance heard of lately. Rejects with `STORE_UNAVAILABLE`. */
export async function listedInstances<T extends object>(
  settings: SettingsService<T>,
): Promise<InstanceList> {
  const instances = await settings.instances();
  const now = Date.now();
  return {
    version: settings.version,
    epoch: settings.epoch,
    instances: instances.map(({ startedAt, lastSeenAt, details, ...instance }) => ({
      ...instance,
      started_at: startedAt,
      uptime_seconds: Math.max(0, Math.round((now - Date.parse(startedAt)) / 1000)),
      last_seen_at: lastSeenAt,
      ...(details === undefined ? {} : { details }),
    })),
  };
}
