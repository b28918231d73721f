import type { StringKey } from '../strings/catalogue.ts';

export type { StringKey };

/** Language that the server chose. */
export const language = document.documentElement.lang;

/** The same language with the browser's region, for numbers and dates. */
export const locale =
  navigator.languages.find((wished) => wished.startsWith(language.slice(0, 2))) ?? language;

let strings: Readonly<Record<StringKey, string>>;

/**
 * The first thing that a bundle does: it has the texts of its language.
 *
 * @public called by the module that `console-bundle.ts` makes
 */
export function speak(given: Readonly<Record<StringKey, string>>): void {
  strings = given;
}

/**
 * Text of this key in the page's language. `{name}` is replaced from `values`; of
 * `{name#one|many}` the first form is used if that value is 1.
 */
export function t(key: StringKey, values: Readonly<Record<string, string | number>> = {}): string {
  return strings[key].replaceAll(
    /\{(\w+)(?:#([^|}]*)\|([^}]*))?\}/g,
    (_, name: string, one?: string, many?: string) => {
      const value = String(values[name] ?? '');
      return one === undefined ? value : value === '1' ? one : (many ?? '');
    },
  );
}

/** A text whose key is made from a value; the value itself where there is no such text. */
export function textOr(key: string, otherwise: string): string {
  return key in strings ? t(key as StringKey) : otherwise;
}
