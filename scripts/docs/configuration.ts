import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchema, settingsTable, type Setting } from '../../src/config/index.ts';

/**
 * Writes the tables of docs/configuration.md and config.schema.json from the table of settings:
 * `npm run build:config`. A test holds both files against it.
 */
export const CONFIGURATION_DOC: string = fileURLToPath(
  new URL('../../docs/configuration.md', import.meta.url),
);
const CONFIG_SCHEMA = fileURLToPath(new URL('../../config.schema.json', import.meta.url));
const START = '<!-- made by npm run build:config -->';
const END = '<!-- end -->';

const TITLES = {
  instrumentation: '## What is measured',
  distribution: '## Where it goes, and the switches',
} as const;

/** The document with its tables as they should be. */
export function withTables(document: string): string {
  const [head = '', rest = ''] = document.split(START);
  const [, tail = ''] = rest.split(END);
  const tables = (['instrumentation', 'distribution'] as const).map(table).join('\n');
  return `${head}${START}\n\n${tables}\n${END}${tail}`;
}

function table(block: keyof typeof TITLES): string {
  const rows = settingsTable.filter((setting) => setting.block === block).map(row);
  const head =
    '| key | variable | values | default | meaning | in code |\n|---|---|---|---|---|---|';
  return `${TITLES[block]}\n\n${head}\n${rows.join('\n')}\n`;
}

function row(setting: Setting): string {
  const { key, env, description, path, secret } = setting;
  const cells = [
    `\`${key}\``,
    env.map((name) => `\`${name}\``).join(', '),
    values(setting),
    fallback(setting),
    `${description}${secret === true ? ' Secret.' : ''}`,
    `\`${path}\``,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function values({ kind }: Setting): string {
  switch (kind.type) {
    case 'enum':
      return kind.values.map((value) => `\`${value}\``).join(', ');
    case 'integer':
      return `${kind.min} to ${kind.max === Number.MAX_SAFE_INTEGER ? '2⁵³' : kind.max}`;
    case 'seconds':
      return `${kind.min} to ${kind.max} s`;
    case 'url':
      return kind.protocols.map((protocol) => `\`${protocol}//\``).join(', ');
    case 'redis':
      return '[an address](settings.md#redis) of one server, a cluster or Sentinel';
    case 'list':
      return 'list; in variables `a,b`';
    case 'map':
      return 'mapping; in variables `a=b,c=d`';
    case 'boolean':
      return '`true`, `false`';
    case 'string':
      return 'text';
  }
}

function fallback({ kind, default: value }: Setting): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (kind.type === 'seconds' && typeof value === 'number') return `${value / 1000} s`;
  return `\`${typeof value === 'object' ? JSON.stringify(value) : value}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(CONFIGURATION_DOC, withTables(readFileSync(CONFIGURATION_DOC, 'utf8')));
  writeFileSync(CONFIG_SCHEMA, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
}
