import type { Strings } from './language.ts';

/** Texts of what is not counted in tokens, by the names of `units` in answers of the API. */
export const unitStrings = {
  'units.title': { en: 'Beside tokens', 'zh-CN': 'Token 以外的用量' },
  'unit.generated_images': { en: 'Images', 'zh-CN': '生成图片' },
  'unit.audio_input_seconds': { en: 'Audio read', 'zh-CN': '音频输入' },
  'unit.audio_output_seconds': { en: 'Audio made', 'zh-CN': '音频输出' },
  'unit.input_characters': { en: 'Characters spoken', 'zh-CN': '合成字符' },
  'unit.web_searches': { en: 'Web searches', 'zh-CN': '网页搜索' },
  'unit.preview_web_searches': { en: 'Web searches (preview)', 'zh-CN': '网页搜索（预览版）' },
  'unit.file_searches': { en: 'File searches', 'zh-CN': '文件搜索' },
  'unit.map_searches': { en: 'Map searches', 'zh-CN': '地图搜索' },
  'unit.rerank_searches': { en: 'Rerank searches', 'zh-CN': '重排序搜索' },
  'unit.code_executions': { en: 'Code executions', 'zh-CN': '代码执行' },
  'unit.pages': { en: 'Pages', 'zh-CN': '页数' },
  'unit.annotated_pages': { en: 'Annotated pages', 'zh-CN': '标注页数' },
} as const satisfies Strings;
