import { chatStrings } from './chat.ts';
import { dashboardStrings } from './dashboard.ts';
import { settingsStrings } from './settings.ts';
import { sharedStrings } from './shared.ts';

/**
 * One text in every language: an entry without one of them does not compile. `{name}` is filled in;
 * `{name#one|many}` is the first when that is 1, else the second.
 */
export type Strings = Readonly<Record<string, Readonly<Record<Language, string>>>>;

export const languages = ['en', 'zh-CN'] as const;
export type Language = (typeof languages)[number];

/** All texts of all pages; a page adds its own file here. */
const catalogue = { ...sharedStrings, ...dashboardStrings, ...chatStrings, ...settingsStrings };

export type StringKey = keyof typeof catalogue;

export function stringsIn(language: Language): Readonly<Record<StringKey, string>> {
  const entries = Object.entries(catalogue).map(([key, text]) => [key, text[language]]);
  return Object.fromEntries(entries) as Record<StringKey, string>;
}
