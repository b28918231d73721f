import type { Strings } from './language.ts';

export const chatStrings = {
  'chat.title': { en: 'Chat', 'zh-CN': '聊天' },
  'chat.intro': {
    en: 'Each answer is one metered LLM call. What was recorded of it appears below the answer, and on the usage page.',
    'zh-CN': '每次回答都是一次被计量的 LLM 调用，其记录显示在回答下方和用量页。',
  },
  'chat.user': { en: 'User', 'zh-CN': '用户' },
  'chat.model': { en: 'Model', 'zh-CN': '模型' },
  'chat.conversation': { en: 'Conversation', 'zh-CN': '会话' },
  'chat.conversation.new': { en: 'a new one', 'zh-CN': '新会话' },
  'chat.startNew': { en: 'New', 'zh-CN': '新建' },
  'chat.transcript': { en: 'Conversation', 'zh-CN': '对话' },
  'chat.nothingYet': { en: 'Nothing said yet.', 'zh-CN': '尚无对话。' },
  'chat.message': { en: 'Message', 'zh-CN': '消息' },
  'chat.placeholder': {
    en: 'Ask something. Enter sends, Shift+Enter starts a new line.',
    'zh-CN': '输入问题。Enter 发送，Shift+Enter 换行。',
  },
  'chat.stream': { en: 'Stream the answer', 'zh-CN': '流式输出' },
  'chat.send': { en: 'Send', 'zh-CN': '发送' },
  'chat.stop': { en: 'Stop', 'zh-CN': '停止' },
  'chat.stopped': { en: '(stopped)', 'zh-CN': '（已停止）' },
  'chat.providerFailed': {
    en: 'The model gave no answer: {detail}',
    'zh-CN': '模型未能回答：{detail}',
  },
  'chat.demo': { en: 'offline demo model', 'zh-CN': '离线演示模型' },
  'chat.receipt.wait': { en: 'Looking for the record…', 'zh-CN': '正在查找记录…' },
  'chat.receipt': {
    en: '{tokens} tokens · {cost} · {duration}',
    'zh-CN': '{tokens} 个 token · {cost} · {duration}',
  },
  'chat.receipt.withoutTokens': {
    en: 'Recorded without tokens · {duration}',
    'zh-CN': '已记录，不含 token · {duration}',
  },
  'chat.receipt.noPrice': { en: 'no price known', 'zh-CN': '价格未知' },
  'chat.receipt.firstChunk': { en: 'first chunk after {time}', 'zh-CN': '首个片段 {time}' },
  'chat.receipt.off': {
    en: 'Not recorded: metering is off.',
    'zh-CN': '未记录：计量已关闭。',
  },
  'chat.receipt.late': {
    en: 'The record has not arrived yet; the usage page will show it.',
    'zh-CN': '记录尚未到达，稍后可在用量页查看。',
  },
  'chat.receipt.signIn': {
    en: 'Sign in to see what was recorded.',
    'zh-CN': '登录后可查看记录内容。',
  },
  'chat.receipt.link': { en: 'Show in usage', 'zh-CN': '在用量页查看' },
  'chat.recorded.everything': {
    en: 'Metering and token statistics are on: each call is recorded with its tokens and cost.',
    'zh-CN': '计量与 token 统计均已开启：记录每次调用及其 token 数和费用。',
  },
  'chat.recorded.basic': {
    en: 'Token statistics are off: calls are recorded, but no token is counted.',
    'zh-CN': 'Token 统计已关闭：仍记录调用，但不计算 token。',
  },
  'chat.recorded.nothing': {
    en: 'Metering is off: calls are answered, but nothing of them is recorded.',
    'zh-CN': '计量已关闭：调用照常回答，但不作任何记录。',
  },
  'chat.recorded.change': { en: 'Change it in the settings', 'zh-CN': '在设置中更改' },
} satisfies Strings;
