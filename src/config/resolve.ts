import { readFileSync } from 'node:fs';
import { readConfigFile, readConfigNode } from './config-file.ts';
import type { ConfigFile } from './config-file.ts';
import type { EffectiveSetting } from './effective-setting.ts';
import { implied } from './implied.ts';
import { shownWrongValue } from './mask.ts';
import type { ConfigProblem } from './problem.ts';
import { isMapping, parseCodeValue, parseEnvValue } from './setting.ts';
import type { Setting, SettingValue } from './setting.ts';
import { settingsTable } from './settings-table.ts';
import type { PartialConfig, TokenMeterConfig } from './token-meter-config.ts';

export interface ResolveOptions {
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of the YAML file. @default OTEL_CONFIG_FILE of `env`; without it no file is read */
  readonly file?: string;
  /**
   * Our instrumentation block as an SDK hands it over, a plain object. It takes precedence over that
   * of `file`.
   */
  readonly declared?: Readonly<Record<string, unknown>> | undefined;
  /** Values of the highest precedence. */
  readonly code?: PartialConfig;
  /** Values that replace the built-in defaults, for hosts with different defaults. */
  readonly defaults?: PartialConfig;
  /** @default fs.readFileSync */
  readonly readFile?: (path: string) => string;
}

export interface ResolvedConfig {
  readonly values: TokenMeterConfig;
  readonly settings: readonly EffectiveSetting[];
  /** Rejected values. The configuration is valid without them. */
  readonly problems: readonly ConfigProblem[];
  readonly file?: string;
}

const SDK_NODE = 'configuration of the OpenTelemetry SDK';

/**
 * Resolves the configuration from code, environment, file and defaults, in this order of
 * precedence. An invalid value is added to `problems` and the next source decides. Never throws.
 */
export function resolveConfig(options: ResolveOptions = {}): ResolvedConfig {
  const env = options.env ?? process.env;
  const file = options.file ?? nonEmpty(env['OTEL_CONFIG_FILE']);
  const problems: ConfigProblem[] = [];
  const { readFile = (path: string) => readFileSync(path, 'utf8') } = options;
  const inFile = file === undefined ? undefined : load(file, env, readFile);
  problems.push(...(inFile?.problems ?? []));
  const declared =
    options.declared === undefined ? undefined : readConfigNode(options.declared, SDK_NODE);
  problems.push(...(declared?.problems ?? []));

  const settings = settingsTable.map((setting): EffectiveSetting => {
    const code = fromCode(setting, options.code, problems);
    if (code !== undefined) return { setting, value: code, origin: { from: 'code' } };
    const variable =
      fromEnv(setting, env, problems) ??
      fromSecretFile(setting, env, problems, readFile) ??
      implied(setting, env);
    if (variable !== undefined) return { setting, ...variable };
    const ofSdk = declared?.values.get(setting.key);
    if (ofSdk !== undefined) {
      return { setting, value: ofSdk.value, origin: { from: 'file', file: SDK_NODE, line: 1 } };
    }
    const found = inFile?.values.get(setting.key);
    if (found !== undefined && file !== undefined) {
      return { setting, value: found.value, origin: { from: 'file', file, line: found.line } };
    }
    const hosts = fromCode(setting, options.defaults, problems);
    return { setting, value: hosts ?? setting.default, origin: { from: 'default' } };
  });
  return { values: assemble(settings), settings, problems, ...(file !== undefined && { file }) };
}

function load(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): ConfigFile {
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    const value = error instanceof Error ? error.message : String(error);
    const problem = {
      key: 'configuration file',
      source: 'file',
      value,
      allowed: 'a readable file',
      file,
    } as const;
    return { values: new Map(), problems: [problem] };
  }
  return readConfigFile(text, file, env);
}

function fromCode(
  setting: Setting,
  tree: PartialConfig | undefined,
  problems: ConfigProblem[],
): SettingValue | undefined {
  let value: unknown = tree;
  for (const name of setting.path.split('.')) value = isMapping(value) ? value[name] : undefined;
  if (value === undefined) return undefined;
  const parsed = parseCodeValue(setting.kind, value);
  if (parsed.ok) return parsed.value;
  problems.push({
    key: setting.path,
    source: 'code',
    value: shownWrongValue(setting, value),
    allowed: parsed.allowed,
  });
  return undefined;
}

function fromEnv(
  setting: Setting,
  env: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblem[],
): Pick<EffectiveSetting, 'value' | 'origin'> | undefined {
  for (const variable of setting.env) {
    const text = nonEmpty(env[variable]);
    if (text === undefined) continue;
    const parsed = parseEnvValue(setting.kind, text);
    if (parsed.ok) {
      for (const { at, ...wrong } of parsed.rejected ?? []) {
        problems.push({ key: `${variable}${at}`, source: 'env', ...wrong });
      }
      return { value: parsed.value, origin: { from: 'env', variable } };
    }
    const value = shownWrongValue(setting, text);
    problems.push({ key: variable, source: 'env', value, allowed: parsed.allowed });
  }
  return undefined;
}

/** As secrets of containers are given: `INFLUX_TOKEN_FILE` names the file that holds `INFLUX_TOKEN`. */
function fromSecretFile(
  setting: Setting,
  env: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblem[],
  readFile: (path: string) => string,
): Pick<EffectiveSetting, 'value' | 'origin'> | undefined {
  if (setting.secret !== true) return undefined;
  for (const variable of setting.env.map((name) => `${name}_FILE`)) {
    const path = nonEmpty(env[variable]);
    if (path === undefined) continue;
    const parsed = parseEnvValue(setting.kind, contentOf(path, readFile));
    if (parsed.ok && parsed.value !== '') {
      return { value: parsed.value, origin: { from: 'env', variable } };
    }
    const allowed = parsed.ok
      ? 'a readable file that is not empty'
      : `a file with ${parsed.allowed}`;
    problems.push({ key: variable, source: 'env', value: path, allowed });
  }
  return undefined;
}

/** Empty for a file that cannot be read. */
function contentOf(path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path).trim();
  } catch {
    return '';
  }
}

/** OpenTelemetry specifies that an empty variable is unset. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}

/** The table is the only list of names; a test compares it with the type, leaf by leaf. */
function assemble(settings: readonly EffectiveSetting[]): TokenMeterConfig {
  const root: Record<string, unknown> = {};
  for (const { setting, value } of settings) {
    const names = setting.path.split('.');
    const last = names.pop() ?? setting.path;
    let node = root;
    for (const name of names) node = (node[name] ??= {}) as Record<string, unknown>;
    if (value !== undefined) node[last] = value;
  }
  return root as unknown as TokenMeterConfig;
}
