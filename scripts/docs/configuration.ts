import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchema, settingsTable, type Setting } from '../../src/config/index.ts';

/**
 * Generates the tables of docs/configuration.md and config.schema.json from the settings table:
 * `npm run build:config`. A test checks that both are up to date.
 */
export const CONFIGURATION_DOC: string = fileURLToPath(
  new URL('../../docs/configuration.md', import.meta.url),
);
const CONFIG_SCHEMA = fileURLToPath(new URL('../../config.schema.json', import.meta.url));
const START = '<!-- made by npm run build:config -->';
const END = '<!-- end -->';

const TITLES = {
  instrumentation: '## Instrumentation',
  distribution: '## Destinations, budgets, alerts and live settings',
} as const;

/** The document with up-to-date tables. */
export function withTables(document: string): string {
  const [head = '', rest = ''] = document.split(START);
  const [, tail = ''] = rest.split(END);
  const tables = (['instrumentation', 'distribution'] as const).map(table).join('\n');
  return `${head}${START}\n\n${tables}\n${END}${tail}`;
}

function table(block: keyof typeof TITLES): string {
  const rows = settingsTable.filter((setting) => setting.block === block).map(row);
  const head =
    '| Key | Variable | Values | Default | Meaning | In code |\n|---|---|---|---|---|---|';
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
      return '[URL](settings.md#redis) of a server, a cluster or Sentinel';
    case 'list':
      return 'list; `a,b` in variables';
    case 'dimensions':
      return 'list of names; `a,b` in variables';
    case 'budgets':
      return '[list](budgets.md#definition); JSON in the variable';
    case 'map':
      return 'mapping; `a=b,c=d` in variables';
    case 'boolean':
      return '`true`, `false`';
    case 'string':
      return 'string';
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
