import type { Document, LineCounter, YAMLMap } from 'yaml';
import { shownWrongValue } from './mask.ts';
import { nearest } from './nearest.ts';
import type { ConfigProblem } from './problem.ts';
import { parseFileValue } from './setting.ts';
import type { Setting, SettingValue } from './setting.ts';
import { settingsTable } from './settings-table.ts';
import { substituteEnv } from './substitute.ts';
import { yaml } from './yaml-on-demand.ts';

/** Paths of our two blocks in an OpenTelemetry declarative configuration file. */
export const BLOCKS = {
  instrumentation: ['instrumentation/development', 'js', 'token_meter'],
  distribution: ['distribution', 'token_meter'],
} as const;

interface FileValue {
  readonly value: SettingValue;
  readonly line: number;
}

export interface ConfigFile {
  /** Keyed by setting. */
  readonly values: ReadonlyMap<string, FileValue>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads our blocks; the rest of the file belongs to the SDK. Never throws: problems are collected.
 */
export function readConfigFile(
  text: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): ConfigFile {
  const values = new Map<string, FileValue>();
  const problems: ConfigProblem[] = [];
  const { isMap, isScalar, LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const line = lines.linePos(syntax.pos[0]).line;
    problems.push({
      key: syntax.message,
      source: 'file',
      value: undefined,
      allowed: 'YAML 1.2',
      file,
      line,
    });
    return { values, problems };
  }
  substituteEnv(document, env);

  for (const [block, path] of Object.entries(BLOCKS)) {
    const node = nodeAt(document, path);
    if (node === undefined || node === null) continue;
    const settings = settingsTable.filter((setting) => setting.block === block);
    const line = lineOf(node, lines);
    if (!isMap(node)) {
      if (isScalar(node) && node.value === null) continue;
      problems.push({
        key: path.join('.'),
        source: 'file',
        value: 'no mapping',
        allowed: 'a mapping of settings',
        file,
        line,
      });
      continue;
    }
    readBlock({ node, prefix: '', shown: path.join('.'), settings, lines, file, values, problems });
  }
  return { values, problems };
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
      if (parsed.ok) block.values.set(key, { value: parsed.value, line: place.line });
      else {
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
