import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Input {
  readonly name: string;
  /** One text, or many that are counted separately. */
  readonly texts: readonly string[];
}

const SMALL = 100_000;
const LARGE = 1_000_000;

/** Real text from npm packages and this repository; the rest is generated. */
export function repeatedInputs(conversations: readonly Conversation[]): Input[] {
  const messages = conversations.flatMap((chat) => chat.contents).slice(0, 1000);
  return [
    ...(messages.length > 0 ? [{ name: 'chat messages', texts: messages }] : []),
    one('English 100 KB', english().slice(0, SMALL)),
    one('English 1 MB', english().slice(0, LARGE)),
    one('TypeScript', typescript().slice(0, SMALL)),
    one('JSON', json().slice(0, SMALL)),
    one('Chinese', localized('zh-cn').slice(0, SMALL)),
    one('Japanese', localized('ja').slice(0, SMALL)),
    one('Russian', localized('ru').slice(0, SMALL)),
    one('mixed', mixed().slice(0, SMALL)),
    one('emoji', emoji(SMALL)),
    one('base64', base64(SMALL)),
  ];
}

const CHUNK = 8000;
const CHUNKS = 24;

/** Distinct chunks of 8000 characters, counted once each. */
export function unseenInputs(conversations: readonly Conversation[]): Input[] {
  const messages = conversations.flatMap((chat) => chat.contents).join('\n');
  const sources: readonly (readonly [name: string, text: string])[] = [
    ...(messages.length > 0 ? [['chat messages', messages] as const] : []),
    ['English', english().slice(LARGE)],
    ['TypeScript', typescript().slice(SMALL)],
    ['JSON', json().slice(SMALL)],
    ['Chinese', localized('zh-cn', 'zh-tw')],
    ['Japanese', localized('ja')],
    ['Russian', localized('ru')],
    ['mixed', mixed()],
    ['emoji', emoji(CHUNK * CHUNKS, 2)],
    ['base64', base64(CHUNK * CHUNKS, 2)],
  ];
  return sources.map(([name, text]) => ({ name, texts: chunksOf(text) }));
}

function chunksOf(text: string): string[] {
  const count = Math.min(CHUNKS, Math.floor(text.length / CHUNK));
  return Array.from({ length: count }, (_, i) => text.slice(i * CHUNK, (i + 1) * CHUNK));
}

export interface Conversation {
  readonly contents: readonly string[];
}

/** One conversation per line, `{"messages": [{"role", "content"}]}`. */
export function readConversations(path: string): Conversation[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { messages } = JSON.parse(line) as { messages: readonly { content?: unknown }[] };
      const contents = messages.map(({ content }) => content);
      return { contents: contents.filter((content) => typeof content === 'string') };
    });
}

function one(name: string, text: string): Input {
  return { name, texts: [text] };
}

/** Readme files of installed packages. */
function english(): string {
  const files = globSync('node_modules/{*,@*/*}/README.md', { cwd: ROOT }).toSorted();
  const text = files.map((file) => readFileSync(`${ROOT}${file}`, 'utf8')).join('\n');
  return [...new Set(text.split('\n').filter((line) => /^[\x20-\x7e]{40,}$/.test(line)))].join(
    '\n',
  );
}

function typescript(): string {
  const files = globSync('{src,exporter,test}/**/*.ts', {
    cwd: ROOT,
    exclude: ['**/node_modules/**'],
  }).toSorted();
  return files.map((file) => readFileSync(`${ROOT}${file}`, 'utf8')).join('\n');
}

function json(): string {
  return readFileSync(`${ROOT}package-lock.json`, 'utf8');
}

/** Localised messages of the TypeScript compiler: thousands of translated sentences. */
function localized(...locales: readonly string[]): string {
  return locales
    .flatMap((locale) => {
      const path = `typescript-5/lib/${locale}/diagnosticMessages.generated.json`;
      return Object.values(require(path) as Record<string, string>);
    })
    .join('\n');
}

function mixed(): string {
  const languages = ['zh-cn', 'ja', 'ru', 'ko', 'de'].map((locale) =>
    localized(locale).split('\n'),
  );
  const first = languages[0] ?? [];
  return first.flatMap((_, i) => languages.map((lines) => lines[i] ?? '')).join('\n');
}

function emoji(length: number, seed = 1): string {
  const random = randomFrom(seed);
  let text = '';
  while (text.length < length) {
    text += String.fromCodePoint(0x1f300 + Math.floor(random() * 0x350));
    if (random() < 0.2) text += random() < 0.5 ? ' ' : '\uFE0F\u200D';
  }
  return text;
}

function base64(length: number, seed = 1): string {
  const random = randomFrom(seed);
  return Buffer.from(Array.from({ length }, () => random() * 256))
    .toString('base64')
    .slice(0, length);
}

/** Deterministic numbers for a seed; an LCG is sufficient for filler. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
