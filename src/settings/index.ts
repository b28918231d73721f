export { TokenMeterError } from '../errors.ts';
export type { ErrorCode, ErrorDetails } from '../errors.ts';
export { SettingsService } from './settings-service.ts';
export { metricsSettings } from './metrics-settings.ts';
export { parseScopedName } from './scoped-name.ts';
export type { ScopedName, SettingScope } from './scoped-name.ts';
export { OPEN_NAME, OPEN_NAME_TEXT, openSchema } from './settings-schema.ts';
export { followSwitches } from './follow-switches.ts';
export type { SwitchTarget, WhenUnknown } from './follow-switches.ts';
export { MemorySettingsStore } from './stores/memory.ts';
export { configuredSettingsStore } from './stores/configured.ts';
export { FileSettingsStore } from './stores/file.ts';
export { RedisSettingsStore } from './stores/redis.ts';
export { RedisSharedMap } from './stores/redis-shared-map.ts';
export type { MetricsSettings, ScopedSwitches } from './metrics-settings.ts';
export type {
  PatchOptions,
  PatchResult,
  SettingsChange,
  SettingsServiceOptions,
  SettingsStatus,
} from './types.ts';
export type {
  OpenDefinition,
  SettingDefinition,
  SettingValue,
  SettingsPatch,
  SettingsProblem,
  SettingsSchema,
} from './settings-schema.ts';
export type { PassingChange, PassingChanges } from './passing-changes.ts';
export type { AuditAction, AuditEntry, StoredSettings } from './stored-settings.ts';
export type {
  InstanceReport,
  SeenInstance,
  SettingsStore,
  SettingsStoreListener,
  SettingsUpdate,
} from './stores/settings-store.ts';
export type { FileSettingsStoreOptions } from './stores/file.ts';
export type { RedisClientLike, RedisSettingsStoreOptions } from './stores/redis.ts';
export type { RedisSharedMapOptions, SharedMapChange } from './stores/redis-shared-map.ts';
