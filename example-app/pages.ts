import type { StringKey } from './strings/catalogue.ts';

export interface Page {
  readonly path: string;
  /** `public/<name>.html` is the content of `<main>`, `public/<name>.js` the page module. */
  readonly name: string;
  readonly title: StringKey;
  /** Whether the page is in the navigation. */
  readonly listed: boolean;
  /** Additional style sheets in `/assets/`. */
  readonly styles?: readonly string[];
}

/** In the order of the navigation. */
export const pages: readonly Page[] = [
  {
    path: '/',
    name: 'dashboard',
    title: 'dashboard.title',
    listed: true,
    styles: ['uplot.css', 'dashboard.css'],
  },
  { path: '/chat', name: 'chat', title: 'chat.title', listed: true, styles: ['chat.css'] },
  { path: '/settings', name: 'settings', title: 'settings.title', listed: true },
  { path: '/sign-in', name: 'sign-in', title: 'signIn.title', listed: false },
];

/** Files of packages that pages use. Files in `public/` need no entry. */
export const packageFiles: Readonly<Record<string, string>> = {
  '/assets/eventsource-parser.js': 'eventsource-parser',
  '/assets/uplot.js': 'uplot/dist/uPlot.esm.js',
  '/assets/uplot.css': 'uplot/dist/uPlot.min.css',
};
