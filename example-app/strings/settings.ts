import type { Strings } from './language.ts';

export const settingsStrings = {
  'settings.title': { en: 'Settings', 'zh-CN': '设置' },
  'settings.intro': {
    en: 'A change applies to the next call of every instance; nothing has to be restarted.',
    'zh-CN': '更改对所有实例的下一次调用生效，无需重启。',
  },
  'settings.switches': { en: 'What is recorded', 'zh-CN': '记录内容' },
  'settings.enabled': { en: 'Metering', 'zh-CN': '计量' },
  'settings.enabled.effect': {
    en: 'Off: calls go through untouched and leave no span, no metric and no usage record.',
    'zh-CN': '关闭后：调用照常进行，但不产生 span、指标和用量记录。',
  },
  'settings.token_statistics': { en: 'Token statistics', 'zh-CN': 'Token 统计' },
  'settings.token_statistics.effect': {
    en: 'Off: calls are still recorded with user, model, conversation, time, duration and outcome, but no token is read or counted.',
    'zh-CN': '关闭后：仍记录每次调用的用户、模型、会话、时间、耗时和结果，但不读取也不计算 token。',
  },
  'settings.on': { en: 'on', 'zh-CN': '开启' },
  'settings.off': { en: 'off', 'zh-CN': '关闭' },
  'settings.then': { en: 'With these settings:', 'zh-CN': '按此设置：' },
  'settings.then.nothing': {
    en: 'nothing is recorded. Usage of this time will be missing from every report.',
    'zh-CN': '不记录任何内容，这段时间的用量不会出现在任何报表中。',
  },
  'settings.then.basic': {
    en: 'each call is recorded without tokens and cost.',
    'zh-CN': '记录每次调用，但不含 token 数和费用。',
  },
  'settings.then.everything': {
    en: 'each call is recorded with its tokens and cost.',
    'zh-CN': '记录每次调用及其 token 数和费用。',
  },
  'settings.reason': { en: 'Reason (optional, for the log)', 'zh-CN': '原因（可选，写入日志）' },
  'settings.save': { en: 'Save', 'zh-CN': '保存' },
  'settings.saving': { en: 'Saving…', 'zh-CN': '正在保存…' },
  'settings.discard': { en: 'Discard', 'zh-CN': '放弃更改' },
  'settings.saved': { en: 'Saved as version {version}.', 'zh-CN': '已保存为版本 {version}。' },
  'settings.unsaved': { en: 'Not saved yet.', 'zh-CN': '尚未保存。' },
  'settings.viewer': {
    en: 'You may look. Changing needs the admin role.',
    'zh-CN': '您只有查看权限，更改需要管理员角色。',
  },
  'settings.version': {
    en: 'Version {version}, changed by {actor} {ago}',
    'zh-CN': '版本 {version}，由 {actor} 于{ago}更改',
  },
  'settings.version.none': {
    en: 'Version 0: the defaults of the configuration, never changed',
    'zh-CN': '版本 0：配置文件中的默认值，从未更改',
  },
  'settings.conflict': {
    en: '{actor} changed the settings meanwhile (version {version}). Your input is kept: save it over that change, or discard it.',
    'zh-CN':
      '{actor} 在此期间更改了设置（版本 {version}）。您的输入已保留：可以覆盖保存，或放弃更改。',
  },
  'settings.storeDown': {
    en: 'Not saved: the settings store cannot be reached. Your input is kept; try again when it is back.',
    'zh-CN': '未保存：无法连接设置存储。您的输入已保留，请在恢复后重试。',
  },
  'settings.stale': {
    en: 'The settings store has not been reachable since {time}. The last known settings stay in force; changes are refused until it is back.',
    'zh-CN': '自 {time} 起无法连接设置存储。最后已知的设置继续生效；恢复之前无法更改。',
  },
  'settings.live': { en: 'Live', 'zh-CN': '实时' },
  'settings.polling': { en: 'Updated every 10 s', 'zh-CN': '每 10 秒更新' },
  'settings.offline': { en: 'No connection', 'zh-CN': '连接已断开' },
  'settings.signInAgain': { en: 'Sign in again', 'zh-CN': '重新登录' },

  'settings.undo.title': { en: 'Last change', 'zh-CN': '最近一次更改' },
  'settings.undo': { en: 'Undo this change', 'zh-CN': '撤销此更改' },
  'settings.undo.done': {
    en: 'Undone; the settings are now version {version}.',
    'zh-CN': '已撤销，当前设置为版本 {version}。',
  },
  'settings.undo.reason': { en: 'undo of version {version}', 'zh-CN': '撤销版本 {version}' },

  'settings.instances': { en: 'Instances', 'zh-CN': '实例' },
  'settings.instances.summary': {
    en: '{current} of {total} on version {version}',
    'zh-CN': '共 {total} 个实例，其中 {current} 个已应用版本 {version}',
  },
  'settings.instances.more': {
    en: '{count} more, all on this version',
    'zh-CN': '另有 {count} 个实例，均为此版本',
  },
  'settings.instances.none': { en: 'No instance has reported.', 'zh-CN': '尚无实例上报。' },
  'settings.instance': { en: 'Instance', 'zh-CN': '实例' },
  'settings.instance.version': { en: 'Version', 'zh-CN': '版本' },
  'settings.instance.behind': { en: 'behind', 'zh-CN': '落后' },
  'settings.instance.state': { en: 'Store', 'zh-CN': '存储' },
  'settings.instance.ready': { en: 'connected', 'zh-CN': '已连接' },
  'settings.instance.stale': { en: 'lost', 'zh-CN': '已断开' },
  'settings.instance.uptime': { en: 'Up for', 'zh-CN': '已运行' },
  'settings.instance.exporter': { en: 'Exporter', 'zh-CN': '导出器' },
  'settings.exporter.ok': { en: 'ok', 'zh-CN': '正常' },
  'settings.exporter.retrying': { en: 'retrying', 'zh-CN': '重试中' },
  'settings.exporter.failing': { en: 'failing', 'zh-CN': '失败' },
  'settings.exporter.closed': { en: 'closed', 'zh-CN': '已关闭' },
  'settings.exporter.dropped': { en: '{count} dropped', 'zh-CN': '已丢弃 {count} 条' },
  'settings.exporter.waiting': { en: '{count} waiting', 'zh-CN': '待发送 {count} 条' },

  'settings.audit': { en: 'Who changed what', 'zh-CN': '更改记录' },
  'settings.audit.none': { en: 'Nothing was ever changed.', 'zh-CN': '从未更改。' },
  'settings.audit.unavailable': {
    en: 'The log cannot be read now: {detail}',
    'zh-CN': '暂时无法读取记录：{detail}',
  },
  'settings.audit.more': { en: 'Show more', 'zh-CN': '显示更多' },
  'settings.audit.version': { en: 'Version', 'zh-CN': '版本' },
  'settings.audit.time': { en: 'When', 'zh-CN': '时间' },
  'settings.audit.actor': { en: 'Who', 'zh-CN': '操作人' },
  'settings.audit.change': { en: 'What', 'zh-CN': '内容' },
  'settings.audit.reason': { en: 'Why', 'zh-CN': '原因' },
  'settings.audit.fromTo': { en: '{name}: {from} → {to}', 'zh-CN': '{name}：{from} → {to}' },
  'settings.audit.restore': {
    en: 'restored after the store had lost it',
    'zh-CN': '存储丢失数据后已恢复',
  },
  'settings.audit.adopt': {
    en: 'took over a change made in the store itself',
    'zh-CN': '采用了直接在存储中所做的更改',
  },
} satisfies Strings;
