import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Defined by the build, so that a user's own bundle contains it as well. */
declare const __OTEL_TOKEN_METER_VERSION__: string | undefined;

/** Version of this package. */
export function packageVersion(): string {
  if (typeof __OTEL_TOKEN_METER_VERSION__ === 'string') return __OTEL_TOKEN_METER_VERSION__;
  const manifest = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
  ) as { readonly version: string };
  return manifest.version;
}
