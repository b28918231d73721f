import { chatStrings } from './chat.ts';
import { consoleStrings } from './console.ts';
import { dashboardStrings } from './dashboard.ts';
import type { Language } from './language.ts';
import { limitStrings } from './limits.ts';
import { settingsStrings } from './settings.ts';
import { sharedStrings } from './shared.ts';
import { unitStrings } from './units.ts';

/** Texts of all pages. */
const catalogue = {
  ...sharedStrings,
  ...consoleStrings,
  ...limitStrings,
  ...dashboardStrings,
  ...chatStrings,
  ...settingsStrings,
  ...unitStrings,
};

export type StringKey = keyof typeof catalogue;

export function stringsIn(language: Language): Readonly<Record<StringKey, string>> {
  const entries = Object.entries(catalogue).map(([key, text]) => [key, text[language]]);
  return Object.fromEntries(entries) as Record<StringKey, string>;
}
