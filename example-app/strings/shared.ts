import type { Strings } from './language.ts';

/** Texts on every page. */
export const sharedStrings = {
  'app.name': { en: 'Token meter', 'zh-CN': 'Token 计量' },
  'app.skip': { en: 'Skip to content', 'zh-CN': '跳到正文' },
  'app.pages': { en: 'Pages', 'zh-CN': '页面' },
  'app.noscript': { en: 'This page requires JavaScript.', 'zh-CN': '此页面需要启用 JavaScript。' },
  'app.signedInAs': { en: '{name} ({role})', 'zh-CN': '{name}（{role}）' },
  'app.signIn': { en: 'Sign in', 'zh-CN': '登录' },
  'app.signOut': { en: 'Sign out', 'zh-CN': '退出登录' },
  'role.admin': { en: 'admin', 'zh-CN': '管理员' },
  'role.viewer': { en: 'viewer', 'zh-CN': '只读用户' },
  'cost.atLeast': { en: 'at least {value}', 'zh-CN': '至少 {value}' },
  'cost.partial': {
    en: 'at least: {count} {count#call has|calls have} parts without a price',
    'zh-CN': '至少：{count} 次调用含有无价格的部分',
  },
  'time.never': { en: 'never', 'zh-CN': '从未' },

  'error.unreachable': {
    en: 'The server is not reachable. Check the network and try again.',
    'zh-CN': '无法连接服务器，请检查网络后重试。',
  },
  'error.forbidden': {
    en: 'You have read-only access. This requires the admin role.',
    'zh-CN': '您只有只读权限，此操作需要管理员角色。',
  },
  'error.signedOut': {
    en: 'Your session has ended. Sign in again; your input is kept.',
    'zh-CN': '登录已失效，请重新登录；您输入的内容会保留。',
  },
  'error.tooMany': {
    en: 'Too many requests. Try again in {seconds} s.',
    'zh-CN': '请求过于频繁，请在 {seconds} 秒后重试。',
  },
  'error.failed': { en: 'Request failed: {detail}', 'zh-CN': '请求失败：{detail}' },

  'signIn.title': { en: 'Sign in', 'zh-CN': '登录' },
  'signIn.hint': {
    en: 'Use an access token of this application. If none is configured, the application prints a sign-in link at start-up.',
    'zh-CN': '请输入本应用的访问令牌。若未配置，应用启动时会在控制台打印登录链接。',
  },
  'signIn.token': { en: 'Access token', 'zh-CN': '访问令牌' },
  'signIn.wrong': { en: 'Invalid token.', 'zh-CN': '令牌无效。' },
  'signIn.other': {
    en: 'You are signed in as {name}. Sign in again to continue as {other}.',
    'zh-CN': '您已以 {name} 的身份登录。再次点击登录将改用 {other}。',
  },
  'signIn.openid': { en: 'Sign in with {provider}', 'zh-CN': '使用 {provider} 登录' },
  'signIn.or': { en: 'or with an access token', 'zh-CN': '或使用访问令牌' },
  'signIn.problem.unavailable': {
    en: 'The sign-in service is not reachable. Try again later, or use an access token.',
    'zh-CN': '无法连接登录服务，请稍后重试，或使用访问令牌。',
  },
  'signIn.problem.denied': {
    en: 'The sign-in service refused to sign you in.',
    'zh-CN': '登录服务拒绝了本次登录。',
  },
  'signIn.problem.expired': {
    en: 'The sign-in took too long or was started again in another tab. Try again.',
    'zh-CN': '登录已超时，或已在另一个标签页中重新开始，请重试。',
  },
  'signIn.problem.no_role': {
    en: 'Your account has no role in this application. Ask an administrator.',
    'zh-CN': '您的账号在本应用中没有角色，请联系管理员。',
  },
  'signIn.problem.clock': {
    en: 'The clocks of this application and the sign-in service differ. Ask an administrator.',
    'zh-CN': '本应用与登录服务的时钟不一致，请联系管理员。',
  },
  'signIn.problem.failed': {
    en: 'Sign-in failed. The log of the application says why.',
    'zh-CN': '登录失败，原因请查看应用日志。',
  },
  'signIn.working': { en: 'Signing in…', 'zh-CN': '正在登录…' },
} satisfies Strings;
