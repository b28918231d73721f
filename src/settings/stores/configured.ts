import { join, parse } from 'node:path';
import { FileSettingsStore } from './file.ts';
import { MemorySettingsStore } from './memory.ts';
import { RedisSettingsStore } from './redis.ts';
import type { SettingsStore } from './settings-store.ts';

/** Which store, and the options of each. */
export interface SettingsStoreChoice {
  readonly store: 'memory' | 'file' | 'redis';
  readonly file: { readonly path: string };
  readonly redis: { readonly url: string; readonly keyPrefix: string };
}

export interface ConfiguredStoreOptions {
  /** It never keeps the process alive. @default false */
  readonly background?: boolean;
  /** A second document: `budgets` is kept in `settings.budgets.json`, or under its own keys. */
  readonly document?: string;
}

/** The store that the configuration names. */
export function configuredSettingsStore(
  { store, file, redis }: SettingsStoreChoice,
  { background = false, document }: ConfiguredStoreOptions = {},
): SettingsStore {
  switch (store) {
    case 'memory':
      return new MemorySettingsStore();
    case 'file':
      return new FileSettingsStore({ path: pathOf(file.path, document) });
    case 'redis':
      return new RedisSettingsStore({
        ...redis,
        background,
        ...(document !== undefined && { document }),
      });
  }
}

/** Beside the first document, with the name of the second before the extension. */
function pathOf(path: string, document: string | undefined): string {
  if (document === undefined) return path;
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.${document}${ext}`);
}
