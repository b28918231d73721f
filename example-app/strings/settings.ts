import type { Strings } from './language.ts';

export const settingsStrings = {
  'settings.title': { en: 'Settings', 'zh-CN': '设置' },
  'settings.intro': {
    en: 'Changes apply to the next call on every instance, without a restart.',
    'zh-CN': '修改后，所有实例从下一次调用起生效，无需重启。',
  },
  'settings.switches': { en: 'Recording', 'zh-CN': '记录内容' },
  'settings.enabled': { en: 'Metering', 'zh-CN': '用量统计' },
  'settings.enabled.effect': {
    en: 'Off: calls work as usual, without spans, metrics and usage records.',
    'zh-CN': '关闭后：调用不受影响，但不产生 span、指标和用量记录。',
  },
  'settings.token_statistics': { en: 'Token statistics', 'zh-CN': 'Token 统计' },
  'settings.token_statistics.effect': {
    en: 'Off: calls are recorded with user, model, conversation, time, duration and outcome, but no tokens are read or counted.',
    'zh-CN': '关闭后：只记录用户、模型、会话、时间、耗时和结果，不读取也不统计 token。',
  },
  'settings.scope': { en: 'For', 'zh-CN': '适用范围' },
  'settings.scope.all': { en: 'all calls', 'zh-CN': '全部调用' },
  'settings.scope.service': { en: 'service', 'zh-CN': '服务' },
  'settings.scope.team': { en: 'team', 'zh-CN': '团队' },
  'settings.scope.name': { en: 'Name', 'zh-CN': '名称' },
  'settings.scoped': { en: '{text} for {scope} {name}', 'zh-CN': '{text}（{scope} {name}）' },
  'settings.asAll': { en: 'as for all calls', 'zh-CN': '与全部调用一致' },
  'settings.exceptions': { en: 'Teams and services', 'zh-CN': '团队与服务的单独设置' },
  'settings.exceptions.effect': {
    en: "A team's switch comes before that of a service, and both before that of all calls.",
    'zh-CN': '优先级：团队高于服务，服务高于全部调用。',
  },
  'settings.exceptions.remove': { en: 'Remove', 'zh-CN': '移除' },
  'settings.exceptions.removeOne': { en: 'Remove: {name}', 'zh-CN': '移除：{name}' },
  'settings.exception': { en: '{name}: {value}', 'zh-CN': '{name}：{value}' },
  'settings.on': { en: 'on', 'zh-CN': '开启' },
  'settings.off': { en: 'off', 'zh-CN': '关闭' },
  'settings.then': { en: 'With these settings:', 'zh-CN': '按此设置：' },
  'settings.then.nothing': {
    en: 'nothing is recorded. Reports will have a gap for this time.',
    'zh-CN': '不记录任何数据，报表中将缺失这段时间的用量。',
  },
  'settings.then.basic': {
    en: 'calls are recorded without tokens and cost.',
    'zh-CN': '记录每次调用，但不含 token 数和费用。',
  },
  'settings.then.everything': {
    en: 'calls are recorded with tokens and cost.',
    'zh-CN': '记录每次调用的 token 数和费用。',
  },
  'settings.reason': {
    en: 'Reason (optional, for the audit log)',
    'zh-CN': '原因（选填，写入审计日志）',
  },
  'settings.time': { en: 'How long', 'zh-CN': '持续时间' },
  'settings.time.always': { en: 'until somebody changes it', 'zh-CN': '直到再次修改' },
  'settings.time.hours': {
    en: 'for {count} {count#hour|hours}, then back',
    'zh-CN': '{count} 小时后自动恢复',
  },
  'settings.time.days': {
    en: 'for {count} {count#day|days}, then back',
    'zh-CN': '{count} 天后自动恢复',
  },
  'settings.passing': {
    en: '{name} is {value} until {time}, set by {actor}; then it goes back by itself.',
    'zh-CN': '{name}已{value}，至 {time} 自动恢复（由 {actor} 设置）。',
  },
  'settings.save': { en: 'Save', 'zh-CN': '保存' },
  'settings.saving': { en: 'Saving…', 'zh-CN': '正在保存…' },
  'settings.discard': { en: 'Discard', 'zh-CN': '放弃修改' },
  'settings.saved': { en: 'Saved as version {version}.', 'zh-CN': '已保存为版本 {version}。' },
  'settings.unsaved': { en: 'Not saved yet.', 'zh-CN': '尚未保存。' },
  'settings.viewer': {
    en: 'You have read-only access. Changes require the admin role.',
    'zh-CN': '您只有只读权限，修改设置需要管理员角色。',
  },
  'settings.version': {
    en: 'Version {version}, changed by {actor} {ago}',
    'zh-CN': '版本 {version}，{actor} 于{ago}修改',
  },
  'settings.version.none': {
    en: 'Version 0: configured defaults, never changed',
    'zh-CN': '版本 0：配置中的默认值，从未修改',
  },
  'settings.conflict': {
    en: '{actor} changed the settings in the meantime (version {version}). Your input is kept: overwrite that change, or discard your input.',
    'zh-CN':
      '{actor} 刚刚修改了设置（版本 {version}）。您的输入已保留，可以覆盖保存，也可以放弃修改。',
  },
  'settings.storeDown': {
    en: 'Not saved: the settings store is not reachable. Your input is kept; try again later.',
    'zh-CN': '保存失败：无法连接设置存储。您的输入已保留，请稍后重试。',
  },
  'settings.stale': {
    en: 'The settings store has not been reachable since {time}. The last known settings remain in effect; changes are not possible until it is back.',
    'zh-CN': '自 {time} 起无法连接设置存储。当前继续使用最后一次获取的设置，恢复前无法修改。',
  },
  'settings.live': { en: 'Live', 'zh-CN': '实时' },
  'settings.polling': { en: 'Updated every 10 s', 'zh-CN': '每 10 秒刷新' },
  'settings.offline': { en: 'No connection', 'zh-CN': '连接已断开' },
  'settings.signInAgain': { en: 'Sign in again', 'zh-CN': '重新登录' },

  'settings.undo.title': { en: 'Last change', 'zh-CN': '最近一次修改' },
  'settings.undo': { en: 'Undo this change', 'zh-CN': '撤销此次修改' },
  'settings.undo.done': {
    en: 'Undone. The settings are now at version {version}.',
    'zh-CN': '已撤销，当前设置为版本 {version}。',
  },
  'settings.undo.reason': { en: 'undo of version {version}', 'zh-CN': '撤销版本 {version}' },

  'settings.instances': { en: 'Instances', 'zh-CN': '实例' },
  'settings.instances.summary': {
    en: '{current} of {total} on version {version}',
    'zh-CN': '共 {total} 个实例，其中 {current} 个已应用版本 {version}',
  },
  'settings.instances.more': {
    en: '{count} more on this version',
    'zh-CN': '另有 {count} 个实例，均为此版本',
  },
  'settings.instances.none': { en: 'No instances have reported.', 'zh-CN': '尚无实例上报。' },
  'settings.instance': { en: 'Instance', 'zh-CN': '实例' },
  'settings.instance.version': { en: 'Version', 'zh-CN': '版本' },
  'settings.instance.behind': { en: 'outdated', 'zh-CN': '未更新' },
  'settings.instance.state': { en: 'Store', 'zh-CN': '存储' },
  'settings.instance.ready': { en: 'connected', 'zh-CN': '已连接' },
  'settings.instance.stale': { en: 'disconnected', 'zh-CN': '已断开' },
  'settings.instance.uptime': { en: 'Uptime', 'zh-CN': '运行时长' },
  'settings.instance.exporter': { en: 'Exporter', 'zh-CN': '导出器' },

  'settings.audit': { en: 'Audit log', 'zh-CN': '审计日志' },
  'settings.audit.none': { en: 'No changes yet.', 'zh-CN': '暂无修改记录。' },
  'settings.audit.unavailable': {
    en: 'The audit log is not available: {detail}',
    'zh-CN': '暂时无法读取审计日志：{detail}',
  },
  'settings.audit.more': { en: 'Show more', 'zh-CN': '显示更多' },
  'settings.audit.version': { en: 'Version', 'zh-CN': '版本' },
  'settings.audit.time': { en: 'Time', 'zh-CN': '时间' },
  'settings.audit.actor': { en: 'Changed by', 'zh-CN': '操作人' },
  'settings.audit.change': { en: 'Change', 'zh-CN': '修改内容' },
  'settings.audit.reason': { en: 'Reason', 'zh-CN': '原因' },
  'settings.audit.fromTo': { en: '{name}: {from} → {to}', 'zh-CN': '{name}：{from} → {to}' },
  'settings.audit.restore': {
    en: 'restored after data loss in the store',
    'zh-CN': '存储数据丢失后自动恢复',
  },
  'settings.audit.end': { en: 'the time of the change was over', 'zh-CN': '限时修改到期' },
  'settings.audit.until': { en: '{change} until {time}', 'zh-CN': '{change}，至 {time}' },
  'settings.audit.adopt': {
    en: 'adopted a change made directly in the store',
    'zh-CN': '采纳了直接在存储中进行的修改',
  },
} satisfies Strings;
