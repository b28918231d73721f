import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Context, Middleware } from 'koa';
import { type Page, packageFiles, pages } from '../pages.ts';
import { type Language, languages } from '../strings/language.ts';
import { type StringKey, stringsIn } from '../strings/catalogue.ts';
import { type StaticFile, staticFiles } from './static-files.ts';

const PUBLIC = new URL('../public/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

export interface WebFilesOptions {
  /** Name of the OpenID Connect provider that the sign-in page offers. */
  readonly openId?: string | undefined;
}

/** Pages in the language of the browser, and what they load. Read once, at the start. */
export function webFiles({ openId = '' }: WebFilesOptions = {}): Middleware {
  const assets = new Map(assetFiles());
  const paths = new Map(pages.map((page) => [page.path, renderedIn(page, openId)]));
  return staticFiles((ctx) => {
    const page = paths.get(ctx.path);
    if (page) ctx.vary('Accept-Language');
    return page ? page[languageOf(ctx)] : assets.get(ctx.path);
  });
}

function languageOf(ctx: Context): Language {
  const wanted = ctx.acceptsLanguages(...languages, 'zh');
  if (wanted === 'zh') return 'zh-CN';
  return languages.find((language) => language === wanted) ?? 'en';
}

function* assetFiles(): Generator<[path: string, file: StaticFile]> {
  for (const file of readdirSync(PUBLIC, { recursive: true, encoding: 'utf8' })) {
    const name = file.replaceAll('\\', '/');
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    if (type) yield [`/assets/${name}`, { type, content: readFileSync(new URL(name, PUBLIC)) }];
  }
  for (const [path, specifier] of Object.entries(packageFiles)) {
    const type = TYPES[path.slice(path.lastIndexOf('.') + 1)]!;
    const file = fileURLToPath(import.meta.resolve(specifier));
    yield [path, { type, content: readFileSync(file) }];
  }
  for (const language of languages) {
    const module = `export default ${JSON.stringify(stringsIn(language))};\n`;
    yield [`/assets/strings.${language}.js`, { type: TYPES['js']!, content: Buffer.from(module) }];
  }
}

function renderedIn(page: Page, openId: string): Readonly<Record<Language, StaticFile>> {
  const layout = readFileSync(new URL('layout.html', PUBLIC), 'utf8');
  const main = readFileSync(new URL(`${page.name}.html`, PUBLIC), 'utf8');
  const rendered = languages.map((language) => {
    const strings = stringsIn(language);
    const parts: Readonly<Record<string, string>> = {
      language,
      name: page.name,
      openid: escaped(openId),
      styles: (page.styles ?? [])
        .map((style) => `<link rel="stylesheet" href="/assets/${style}" />`)
        .join(''),
      navigation: navigationOf(page, strings),
      main: translated(main, strings),
      title: escaped(strings[page.title]),
    };
    const whole = layout.replaceAll(/\{\{(\w+)\}\}/g, (_, part: string) => parts[part] ?? '');
    const content = Buffer.from(translated(whole, strings));
    return [language, { type: 'text/html; charset=utf-8', content }];
  });
  return Object.fromEntries(rendered) as Record<Language, StaticFile>;
}

function navigationOf(current: Page, strings: Readonly<Record<StringKey, string>>): string {
  return pages
    .filter(({ listed }) => listed)
    .map(({ path, title }) => {
      const here = path === current.path ? ' aria-current="page"' : '';
      return `<a href="${path}"${here}>${escaped(strings[title])}</a>`;
    })
    .join('');
}

/** `{{page.key}}` in a file is the text of that name. Throws for a name that does not exist. */
function translated(html: string, strings: Readonly<Record<string, string>>): string {
  return html.replaceAll(/\{\{(\w+\.[\w.]+)\}\}/g, (_, key: string) => {
    const text = strings[key];
    if (text === undefined) throw new Error(`no string is named ${key}`);
    return escaped(text);
  });
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
