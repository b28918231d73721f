import type { Splitter } from '../engine/tables.ts';

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const SYMBOLS = String.raw` ?[^\s\p{L}\p{N}]+`;
const SPACES = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const PREFIX = String.raw`[^\r\n\p{L}\p{N}]?`;
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;

function plain(digits: string): string {
  return String.raw`${CONTRACTIONS}|${PREFIX}\p{L}+|${digits}|${SYMBOLS}[\r\n]*|${SPACES}`;
}

function cased(contractions: string, digits: string): string {
  const words = [`${UPPER}*${LOWER}+`, `${UPPER}+${LOWER}*`];
  const first = words.map((word) => PREFIX + word + contractions).join('|');
  return String.raw`${first}|${digits}|${SYMBOLS}[\r\n/]*|${SPACES}`;
}

const DEEPSEEK = [
  String.raw`\p{N}{1,3}`,
  '[一-龥぀-ゟ゠-ヿ]+',
  String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${'`'}{|}~][A-Za-z]+|[^${'\r\n'}\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[${'\r\n'}]*|\s*[${'\r\n'}]+|\s+(?!\S)|\s+`,
].join('\n');

/** Supported pre-tokenizers, by the expressions of their Split steps. */
const SPLITTERS: ReadonlyMap<string, Splitter> = new Map<string, Splitter>([
  // Llama 3.
  [
    plain(String.raw`\p{N}{1,3}`),
    { kind: 'plain', maxDigits: 3, contractions: true, slashTail: false },
  ],
  // Qwen.
  [plain(String.raw`\p{N}`), { kind: 'plain', maxDigits: 1, contractions: true, slashTail: false }],
  // gpt-oss.
  [
    cased(`${CONTRACTIONS}?`, String.raw`\p{N}{1,3}`),
    { kind: 'cased', maxDigits: 3, contractions: true, slashTail: true },
  ],
  // Mistral's Tekken.
  [
    cased('', String.raw`\p{N}`),
    { kind: 'cased', maxDigits: 1, contractions: false, slashTail: true },
  ],
  [DEEPSEEK, { kind: 'deepseek', maxDigits: 3, contractions: false, slashTail: false }],
]);

/** @throws for expressions that are not supported. */
export function splitterOf(expressions: readonly string[]): Splitter {
  const splitter = SPLITTERS.get(expressions.join('\n'));
  if (splitter === undefined) throw new Error('its pre-tokenizer is not known');
  return splitter;
}
