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

/** The store that the configuration names. `background`: it never keeps the process alive. */
export function configuredSettingsStore(
  { store, file, redis }: SettingsStoreChoice,
  { background = false }: { readonly background?: boolean } = {},
): SettingsStore {
  switch (store) {
    case 'memory':
      return new MemorySettingsStore();
    case 'file':
      return new FileSettingsStore({ path: file.path });
    case 'redis':
      return new RedisSettingsStore({ ...redis, background });
  }
}
