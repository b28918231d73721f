import type { StringKey } from './strings/catalogue.ts';

export interface Page {
  readonly path: string;
  readonly title: StringKey;
  /** Whether the page is in the navigation. */
  readonly isListed: boolean;
}

/** Pages of the console, in the order of the navigation. `console/pages.tsx` has their content. */
export const pages = [
  { path: '/', title: 'dashboard.title', isListed: true },
  { path: '/users', title: 'users.title', isListed: true },
  { path: '/user', title: 'user.title', isListed: false },
  { path: '/teams', title: 'teams.title', isListed: true },
  { path: '/team', title: 'team.title', isListed: false },
  { path: '/models', title: 'models.title', isListed: true },
  { path: '/calls', title: 'callsPage.title', isListed: true },
  { path: '/run', title: 'run.title', isListed: false },
  { path: '/budgets', title: 'budgets.title', isListed: true },
  { path: '/alerts', title: 'alertsPage.title', isListed: true },
  { path: '/health', title: 'fleet.title', isListed: true },
  { path: '/settings', title: 'settings.title', isListed: true },
  { path: '/chat', title: 'chat.title', isListed: true },
  { path: '/sign-in', title: 'signIn.title', isListed: false },
] as const satisfies readonly Page[];

export type PagePath = (typeof pages)[number]['path'];
