import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { MetricsSettings, SettingsService } from 'otel-token-meter/settings';
import type { instanceList } from '../schemas.ts';
import { entityTags } from '../middleware/etag.ts';

/** One version of the settings, as far as an answer shows it. */
export interface ShownSettings {
  readonly settings: MetricsSettings;
  readonly version: number;
}

/**
 * `"<version>-<content>"`. The version alone would not do: instances with other configured
 * defaults show another document of the same version.
 */
export function etagOf({ settings, version }: ShownSettings): string {
  const content = createHash('sha256').update(JSON.stringify(settings)).digest('base64url');
  return `"${version}-${content.slice(0, 6)}"`;
}

/**
 * The version that If-Match asks for; a bare version will do. Undefined when any will, -1 when
 * nothing there names one, so that it matches none.
 */
export function versionAskedFor(ifMatch: string, current: number): number | undefined {
  const tags = entityTags(ifMatch);
  if (tags.length === 0 || tags.includes('*')) return undefined;
  const versions = tags.map((tag) => {
    const [, version] = /^(?:W\/)?"?(\d{1,15})(?:-[\w-]*)?"?$/.exec(tag) ?? [];
    return version === undefined ? -1 : Number(version);
  });
  return versions.includes(current) ? current : versions[0];
}

/** Every instance heard of lately. Rejects with `STORE_UNAVAILABLE`. */
export async function listedInstances(
  settings: SettingsService<MetricsSettings>,
): Promise<z.output<typeof instanceList>> {
  const instances = await settings.instances();
  const now = Date.now();
  return {
    version: settings.version,
    instances: instances.map(({ startedAt, lastSeenAt, details, ...instance }) => ({
      ...instance,
      started_at: startedAt,
      uptime_seconds: Math.max(0, Math.round((now - Date.parse(startedAt)) / 1000)),
      last_seen_at: lastSeenAt,
      ...(details === undefined ? {} : { details }),
    })),
  };
}
