import type { Context, Middleware } from 'koa';
import { type Page, pages } from '../pages.ts';
import { type StringKey, stringsIn } from '../strings/catalogue.ts';
import { type Language, languages } from '../strings/language.ts';
import { type ConsoleBundle, consoleBundle } from './console-bundle.ts';
import { type StaticFile, staticFiles } from './static-files.ts';

export interface ConsoleFilesOptions {
  /** Name of the OpenID Connect provider that the sign-in page offers. */
  readonly openId?: string | undefined;
}

const THEMES = ['light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const ICON = encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#2456c9"/><path d="M3 11V8h2v3zm4 0V4h2v7zm4 0V6h2v5z" fill="#fff"/></svg>',
);

/** The pages of the console in the language and theme of the browser, and what they load. */
export function consoleFiles({ openId = '' }: ConsoleFilesOptions = {}): Middleware {
  const shown = new Map<string, { readonly of: ConsoleBundle; readonly file: StaticFile }>();
  return staticFiles(async (ctx) => {
    const page = pages.find(({ path }) => path === ctx.path);
    if (!page && !ctx.path.startsWith('/assets/')) return undefined;
    const bundle = await consoleBundle();
    if (!page) return bundle.files.get(ctx.path);
    ctx.vary('Accept-Language, Cookie');
    const [language, theme] = [languageOf(ctx), themeOf(ctx)];
    const name = `${page.path} ${language} ${theme ?? ''}`;
    const known = shown.get(name);
    if (known?.of === bundle) return known.file;
    const content = Buffer.from(documentOf(page, bundle, { language, theme, openId }));
    const file = { type: 'text/html; charset=utf-8', content };
    shown.set(name, { of: bundle, file });
    return file;
  });
}

function languageOf(ctx: Context): Language {
  const wanted = ctx.acceptsLanguages(...languages, 'zh');
  if (wanted === 'zh') return 'zh-CN';
  return languages.find((language) => language === wanted) ?? 'en';
}

/** Chosen on a page; otherwise the browser decides. */
function themeOf(ctx: Context): Theme | undefined {
  const chosen = ctx.cookies.get('token_meter_theme');
  return THEMES.find((theme) => theme === chosen);
}

interface Shown {
  readonly language: Language;
  readonly theme: Theme | undefined;
  readonly openId: string;
}

function documentOf(
  { title }: Page,
  { style, scripts }: ConsoleBundle,
  { language, theme, openId }: Shown,
): string {
  const strings = stringsIn(language);
  const text = (key: StringKey): string => escaped(strings[key]);
  return `<!doctype html>
<html lang="${language}"${theme ? ` data-theme="${theme}"` : ''}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${theme ?? 'light dark'}">
<title>${text(title)} · ${text('app.name')}</title>
<link rel="icon" href="data:image/svg+xml,${ICON}">
<link rel="preload" href="/api/session" as="fetch" crossorigin>
<link rel="stylesheet" href="${style}">
<script type="module" src="${scripts[language]}"></script>
</head>
<body data-openid="${escaped(openId)}">
<noscript><p class="banner" data-tone="bad">${text('app.noscript')}</p></noscript>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
