/**
 * Texts in every language; a missing language is a type error. `{name}` is a parameter.
 * `{name#one|many}` is `one` if the parameter is 1, otherwise `many`.
 */
export type Strings = Readonly<Record<string, Readonly<Record<Language, string>>>>;

export const languages = ['en', 'zh-CN'] as const;
export type Language = (typeof languages)[number];
