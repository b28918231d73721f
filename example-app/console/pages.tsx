import type { ComponentType } from 'preact';
import { type PagePath, pages } from '../pages.ts';
import { AlertsPage } from './pages/alerts.tsx';
import { BudgetsPage } from './pages/budgets.tsx';
import { CallsPage } from './pages/calls.tsx';
import { ChatPage } from './pages/chat/chat-page.tsx';
import { HealthPage } from './pages/health.tsx';
import { TeamsPage, UsersPage } from './pages/key-list.tsx';
import { TeamPage, UserPage } from './pages/key-page.tsx';
import { ModelsPage } from './pages/models.tsx';
import { Overview } from './pages/overview.tsx';
import { RunPage } from './pages/run.tsx';
import { SettingsPage } from './pages/settings/settings-page.tsx';
import { SignInPage } from './pages/sign-in.tsx';

const components: Readonly<Record<PagePath, ComponentType>> = {
  '/': Overview,
  '/users': UsersPage,
  '/user': UserPage,
  '/teams': TeamsPage,
  '/team': TeamPage,
  '/models': ModelsPage,
  '/calls': CallsPage,
  '/run': RunPage,
  '/budgets': BudgetsPage,
  '/alerts': AlertsPage,
  '/health': HealthPage,
  '/settings': SettingsPage,
  '/chat': ChatPage,
  '/sign-in': SignInPage,
};

export function isPage(path: string): path is PagePath {
  return pages.some((page) => page.path === path);
}

export function componentOf(path: PagePath): ComponentType {
  return components[path];
}
