import type { Strings } from './language.ts';

export const chatStrings = {
  'chat.title': { en: 'Chat', 'zh-CN': '聊天' },
  'chat.intro': {
    en: 'Each answer is one metered LLM call. Its usage record is shown below the answer and on the usage page.',
    'zh-CN': '每次回答对应一次 LLM 调用，用量记录显示在回答下方，也可在用量页查看。',
  },
  'chat.user': { en: 'User', 'zh-CN': '用户' },
  'chat.model': { en: 'Model', 'zh-CN': '模型' },
  'chat.conversation': { en: 'Conversation', 'zh-CN': '会话' },
  'chat.conversation.new': { en: 'new conversation', 'zh-CN': '新会话' },
  'chat.startNew': { en: 'New', 'zh-CN': '新建' },
  'chat.transcript': { en: 'Conversation', 'zh-CN': '对话' },
  'chat.nothingYet': { en: 'No messages yet.', 'zh-CN': '暂无消息。' },
  'chat.message': { en: 'Message', 'zh-CN': '消息' },
  'chat.placeholder': {
    en: 'Ask a question. Enter sends, Shift+Enter inserts a line break.',
    'zh-CN': '输入问题，Enter 发送，Shift+Enter 换行',
  },
  'chat.stream': { en: 'Stream the answer', 'zh-CN': '流式输出' },
  'chat.send': { en: 'Send', 'zh-CN': '发送' },
  'chat.stop': { en: 'Stop', 'zh-CN': '停止' },
  'chat.stopped': { en: '(stopped)', 'zh-CN': '（已停止）' },
  'chat.providerFailed': {
    en: 'The model did not respond: {detail}',
    'zh-CN': '模型未返回结果：{detail}',
  },
  'chat.budget': {
    en: 'Budget {budget} is exhausted. Try again after {time}.',
    'zh-CN': '预算 {budget} 已用完，请在 {time} 之后重试。',
  },
  'chat.demo': { en: 'offline demo model', 'zh-CN': '离线演示模型' },
  'chat.receipt.wait': { en: 'Loading the usage record…', 'zh-CN': '正在获取用量记录…' },
  'chat.receipt': {
    en: '{tokens} tokens · {cost} · {duration}',
    'zh-CN': '{tokens} 个 token · {cost} · {duration}',
  },
  'chat.receipt.withoutTokens': {
    en: 'Recorded without tokens · {duration}',
    'zh-CN': '已记录，不含 token · {duration}',
  },
  'chat.receipt.noPrice': { en: 'price unknown', 'zh-CN': '价格未知' },
  'chat.receipt.firstChunk': { en: 'first chunk after {time}', 'zh-CN': '首 token 延迟 {time}' },
  'chat.receipt.off': {
    en: 'Not recorded: metering is off.',
    'zh-CN': '未记录：用量统计已关闭。',
  },
  'chat.receipt.late': {
    en: 'The record is not available yet. It will appear on the usage page.',
    'zh-CN': '用量记录尚未写入，稍后可在用量页查看。',
  },
  'chat.receipt.signIn': {
    en: 'Sign in to see the usage record.',
    'zh-CN': '登录后可查看用量记录。',
  },
  'chat.receipt.link': { en: 'Show in usage', 'zh-CN': '在用量页查看' },
  'chat.recorded.everything': {
    en: 'Metering and token statistics are on: each call is recorded with its tokens and cost.',
    'zh-CN': '用量统计和 token 统计均已开启：记录每次调用的 token 数和费用。',
  },
  'chat.recorded.basic': {
    en: 'Token statistics are off: calls are recorded without tokens and cost.',
    'zh-CN': 'Token 统计已关闭：只记录调用，不含 token 数和费用。',
  },
  'chat.recorded.nothing': {
    en: 'Metering is off: calls are not recorded.',
    'zh-CN': '用量统计已关闭：不记录任何调用。',
  },
  'chat.recorded.change': { en: 'Change in settings', 'zh-CN': '前往设置' },
} satisfies Strings;
