import { BLOCK_NAMES } from './config-file.ts';
import { isMapping, type Setting, type SettingKind } from './setting.ts';
import { settingsTable } from './settings-table.ts';

/**
 * Hands the `instrumentation/development` block of a declarative configuration to instrumentations
 * (OpenTelemetry specification, instrumentation configuration API, in development). Whether it takes a
 * name, and whether it returns an accessor or a plain object, is not settled in JavaScript
 * (open-telemetry/opentelemetry-js #6868); all of these are read.
 */
export interface ConfigProvider {
  /** The block of one instrumentation; without a name, or where it is ignored, all of it. */
  getInstrumentationConfig(name?: string): unknown;
}

type Node = Record<string, unknown>;

/** Accessor of a mapping, as far as it is used here. A getter reports a value of another type itself. */
interface ConfigProperties {
  getPropertyKeys(): readonly string[];
  getBoolean(key: string): boolean | undefined;
  getNumber(key: string): number | undefined;
  getString(key: string): string | undefined;
  getStringArray(key: string): readonly string[] | undefined;
  getStructured(key: string): ConfigProperties | undefined;
}

/** Our block as a plain object; undefined when there is none. */
export function declaredNode(provider: ConfigProvider): Readonly<Node> | undefined {
  for (const name of BLOCK_NAMES) {
    const given: unknown = provider.getInstrumentationConfig(name);
    const js = child(given, 'js');
    const node = asObject(js === undefined ? given : child(js, name));
    if (node !== undefined && Object.keys(node).length > 0) return node;
  }
  return undefined;
}

function child(node: unknown, name: string): unknown {
  if (!isProperties(node)) return isMapping(node) ? node[name] : undefined;
  return node.getPropertyKeys().includes(name) ? node.getStructured(name) : undefined;
}

function asObject(node: unknown): Node | undefined {
  if (isProperties(node)) return readProperties(node, '');
  return isMapping(node) ? node : undefined;
}

function readProperties(properties: ConfigProperties, prefix: string): Node {
  const node: Node = {};
  for (const name of properties.getPropertyKeys()) {
    const key = `${prefix}${name}`;
    const setting = settingOf(key);
    if (setting !== undefined) node[name] = read(properties, name, setting.kind);
    else if (isGroup(key)) {
      const inside = properties.getStructured(name);
      if (inside !== undefined) node[name] = readProperties(inside, `${key}.`);
    } else {
      // Reported as unknown, whatever its value.
      node[name] = '';
    }
  }
  return node;
}

function settingOf(key: string): Setting | undefined {
  return settingsTable.find(({ block, key: own }) => block === 'instrumentation' && own === key);
}

function isGroup(key: string): boolean {
  return settingsTable.some(
    ({ block, key: own }) => block === 'instrumentation' && own.startsWith(`${key}.`),
  );
}

function read(properties: ConfigProperties, name: string, { type }: SettingKind): unknown {
  switch (type) {
    case 'boolean':
      return properties.getBoolean(name);
    case 'integer':
    case 'seconds':
      return properties.getNumber(name);
    case 'list':
      return properties.getStringArray(name);
    case 'map': {
      const map = properties.getStructured(name);
      if (map === undefined) return undefined;
      return Object.fromEntries(map.getPropertyKeys().map((key) => [key, map.getString(key)]));
    }
    default:
      return properties.getString(name);
  }
}

function isProperties(node: unknown): node is ConfigProperties {
  const { getPropertyKeys } = (node ?? {}) as Partial<ConfigProperties>;
  return typeof getPropertyKeys === 'function';
}
