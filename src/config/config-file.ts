import type { Document, LineCounter, YAMLMap } from 'yaml';
import { shownWrongValue } from './mask.ts';
import { nearest } from './nearest.ts';
import type { ConfigProblem } from './problem.ts';
import { parseFileValue } from './setting.ts';
import type { Setting, SettingValue } from './setting.ts';
import { settingsTable } from './settings-table.ts';
import { substituteEnv } from './substitute.ts';
import { yaml } from './yaml-on-demand.ts';

/** Where our two blocks are in an OpenTelemetry declarative configuration file, without their name. */
export const BLOCKS = {
  instrumentation: ['instrumentation/development', 'js'],
  distribution: ['distribution'],
} as const;

/** Names of a block. SDKs that hand over configuration look it up by the scope name, the first one. */
export const BLOCK_NAMES = ['otel-token-meter', 'token_meter'] as const;

interface FileValue {
  readonly value: SettingValue;
  readonly line: number;
}

export interface ConfigFile {
  /** Keyed by setting. */
  readonly values: ReadonlyMap<string, FileValue>;
  readonly problems: readonly ConfigProblem[];
}

const NOTHING: ConfigFile = { values: new Map(), problems: [] };

/**
 * Reads our blocks; the rest of the file belongs to the SDK. Never throws: problems are collected.
 */
export function readConfigFile(
  text: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): ConfigFile {
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const { line } = lines.linePos(syntax.pos[0]);
    const place = { source: 'file', value: undefined, file, line } as const;
    return { ...NOTHING, problems: [{ ...place, key: syntax.message, allowed: 'YAML 1.2' }] };
  }
  substituteEnv(document, env);
  return readDocument(document, lines, file);
}

/**
 * Reads the instrumentation block as an SDK hands it over: a plain object, with variables
 * substituted. `origin` stands for the name of the file.
 */
export function readConfigNode(node: unknown, origin: string): ConfigFile {
  const { Document, LineCounter } = yaml();
  const [outer, inner] = BLOCKS.instrumentation;
  const document = new Document({ [outer]: { [inner]: { [BLOCK_NAMES[0]]: node } } });
  const { values, problems } = readDocument(document, new LineCounter(), origin);
  return { values, problems: problems.map(({ line: _none, ...problem }) => problem) };
}

function readDocument(document: Document, lines: LineCounter, file: string): ConfigFile {
  const values = new Map<string, FileValue>();
  const problems: ConfigProblem[] = [];
  for (const [block, path] of Object.entries(BLOCKS)) {
    const settings = settingsTable.filter((setting) => setting.block === block);
    for (const { name, node, refused } of namedBlocks(nodeAt(document, path))) {
      const shown = [...path, name].join('.');
      const place = { key: shown, source: 'file', value: undefined, file } as const;
      if (refused !== undefined) {
        problems.push({ ...place, allowed: refused, line: lineOf(node, lines) });
      } else if (yaml().isMap(node)) {
        readBlock({ node, prefix: '', shown, settings, lines, file, values, problems });
      } else {
        const line = lineOf(node, lines);
        problems.push({ ...place, value: 'no mapping', allowed: 'a mapping of settings', line });
      }
    }
  }
  return { values, problems };
}

interface NamedBlock {
  readonly name: string;
  readonly node: unknown;
  /** Why it is not read. */
  readonly refused?: string;
}

/** Blocks with a name of ours, or with one that is meant to be ours. Empty ones are left out. */
function namedBlocks(parent: unknown): readonly NamedBlock[] {
  const { isMap, isScalar } = yaml();
  if (!isMap(parent)) return [];
  const found: NamedBlock[] = [];
  for (const { key, value } of parent.items) {
    const name = String(isScalar(key) ? key.value : key);
    if (!isOurs(name) || value === null || (isScalar(value) && value.value === null)) continue;
    const isKnown = BLOCK_NAMES.some((known) => known === name);
    found.push({
      name,
      node: value,
      ...(!isKnown && { refused: `no such key (did you mean ${BLOCK_NAMES[1]}?)` }),
    });
  }
  const [first] = found.filter(({ refused }) => refused === undefined);
  return found.map((block) =>
    block === first || block.refused !== undefined
      ? block
      : { ...block, refused: `one block; ${first?.name} is there already` },
  );
}

const LETTERS = new Set(BLOCK_NAMES.map(lettersOf));

function isOurs(name: string): boolean {
  return LETTERS.has(lettersOf(name));
}

/** Without case and separators, in which names are confused. */
function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z]/g, '');
}

interface Block {
  readonly node: YAMLMap;
  /** Key prefix, including the dot. */
  readonly prefix: string;
  /** Path as the user wrote it. */
  readonly shown: string;
  readonly settings: readonly Setting[];
  readonly lines: LineCounter;
  readonly file: string;
  readonly values: Map<string, FileValue>;
  readonly problems: ConfigProblem[];
}

function readBlock(block: Block): void {
  const { isMap, isScalar } = yaml();
  const { node, prefix, shown, settings, lines, file } = block;
  for (const pair of node.items) {
    const name = String(isScalar(pair.key) ? pair.key.value : pair.key);
    const key = `${prefix}${name}`;
    const place = {
      key: `${shown}.${name}`,
      source: 'file',
      file,
      line: lineOf(pair.key, lines),
    } as const;
    const setting = settings.find((one) => one.key === key);
    const json: unknown = toJson(pair.value);
    if (setting !== undefined) {
      // `key:` without a value, or an empty substitution: not set.
      if (json === null || json === undefined || json === '') continue;
      const parsed = parseFileValue(setting.kind, json);
      if (parsed.ok) {
        block.values.set(key, { value: parsed.value, line: place.line });
        for (const { at, ...wrong } of parsed.rejected ?? []) {
          block.problems.push({ ...place, key: `${place.key}${at}`, ...wrong });
        }
      } else {
        const value = shownWrongValue(setting, json);
        block.problems.push({ ...place, value, allowed: parsed.allowed });
      }
      continue;
    }
    const inside = settings.filter((one) => one.key.startsWith(`${key}.`));
    if (inside.length > 0) {
      if (isMap(pair.value)) {
        readBlock({ ...block, node: pair.value, prefix: `${key}.`, shown: place.key });
      } else if (json !== null && json !== undefined) {
        block.problems.push({ ...place, value: json, allowed: 'a mapping of settings' });
      }
      continue;
    }
    const known = [
      ...new Set(
        settings
          .filter((one) => one.key.startsWith(prefix))
          .map((one) => one.key.slice(prefix.length).split('.')[0] ?? ''),
      ),
    ];
    const close = nearest(name, known);
    const hint = close === undefined ? known.join(', ') : `did you mean ${close}?`;
    block.problems.push({ ...place, value: undefined, allowed: `no such key (${hint})` });
  }
}

/** Replaces `Document.getIn`, which throws when a step is not a mapping. */
function nodeAt(document: Document, path: readonly string[]): unknown {
  let node: unknown = document.contents;
  for (const name of path) {
    if (!yaml().isMap(node)) return undefined;
    node = node.get(name, true);
  }
  return node;
}

function toJson(node: unknown): unknown {
  return typeof node === 'object' && node !== null && 'toJSON' in node
    ? (node as { toJSON(): unknown }).toJSON()
    : node;
}

function lineOf(node: unknown, lines: LineCounter): number {
  const range = (node as { range?: readonly [number, number, number] | null } | null)?.range;
  return range ? lines.linePos(range[0]).line : 1;
}
