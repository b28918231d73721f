import type { TokenMeterConfig } from '../../config/token-meter-config.ts';
import { FileSettingsStore } from './file.ts';
import { MemorySettingsStore } from './memory.ts';
import { RedisSettingsStore } from './redis.ts';
import type { SettingsStore } from './settings-store.ts';

/** The store that the configuration names. `background`: it never keeps the process alive. */
export function configuredSettingsStore(
  { store, file, redis }: TokenMeterConfig['settings'],
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
