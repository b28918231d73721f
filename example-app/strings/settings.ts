import type { Strings } from './catalogue.ts';

export const settingsStrings = {
  'settings.title': { en: 'Settings', 'zh-CN': '设置' },
} satisfies Strings;
