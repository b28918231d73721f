/**
 * One text in every language: an entry without one of them does not compile. `{name}` is filled in;
 * `{name#one|many}` is the first when that is 1, else the second.
 */
export type Strings = Readonly<Record<string, Readonly<Record<Language, string>>>>;

export const languages = ['en', 'zh-CN'] as const;
export type Language = (typeof languages)[number];
