import { readFileSync } from 'node:fs';

/** Put in by the build, so that a user's own bundle has it too. */
declare const __OTEL_TOKEN_METER_VERSION__: string | undefined;

/** Version of this package. */
export function packageVersion(): string {
  if (typeof __OTEL_TOKEN_METER_VERSION__ === 'string') return __OTEL_TOKEN_METER_VERSION__;
  const manifest = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { readonly version: string };
  return manifest.version;
}
