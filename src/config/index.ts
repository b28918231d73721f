export { influxOptions } from './influx-options.ts';
export { configJsonSchema } from './json-schema.ts';
export { describeProblem, describeProblems } from './problem.ts';
export { resolveConfig } from './resolve.ts';
export { settingsTable } from './settings-table.ts';
export type { InfluxExporterOptions } from './influx-options.ts';
export type { ConfigProblem } from './problem.ts';
export type { EffectiveSetting, Origin } from './effective-setting.ts';
export type { ResolvedConfig, ResolveOptions } from './resolve.ts';
export type { Setting, SettingKind, SettingValue } from './setting.ts';
export type {
  InfluxConfig,
  MetricsConfig,
  PartialConfig,
  TokenMeterConfig,
} from './token-meter-config.ts';
