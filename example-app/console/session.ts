import { effect, signal } from '@preact/signals';
import { callApi, get } from './api/client.ts';
import type { Contract } from './api/contract.ts';
import { path } from './router.ts';

export type Identity = Contract['/api/session'];

/** Pages for people who are not signed in. */
const OPEN: readonly string[] = ['/sign-in', '/chat'];

/** The signed-in user, without a name for nobody; known before anything is rendered. */
export const identity = signal<Identity>({ name: null, role: null });

/** One object per page: a channel delivers to all others, including those of the same page. */
const changes = new BroadcastChannel('token-meter-session');
// Somebody signed out, or signed in by another name, in another tab: this tab must not continue under the old name.
changes.addEventListener('message', () => location.reload());

export async function askIdentity(): Promise<void> {
  identity.value = await get('/api/session').catch(() => ({ name: null, role: null }));
}

export function isSignedIn(): boolean {
  return (identity.value.name ?? '') !== '';
}

/** Whether this page may be shown to whoever is here. */
export function isAllowed(): boolean {
  return isSignedIn() || OPEN.includes(path.value);
}

/** Calls back on the first page of somebody who is signed in, and redirects everybody else from pages that need it. */
export function followIdentity(onSignedIn: () => void): void {
  let isFollowed = false;
  effect(() => {
    if (!isAllowed()) return goToSignIn();
    if (isFollowed || !isSignedIn() || path.value === '/sign-in') return;
    isFollowed = true;
    onSignedIn();
  });
}

/** Other tabs show another user from now on. */
export function announceSession(): void {
  changes.postMessage('changed');
}

export async function signOut(): Promise<void> {
  await callApi('/api/session', { method: 'DELETE' }).catch(() => undefined);
  announceSession();
  goToSignIn();
}

/** Redirects to the sign-in page and back. Pages with user input ask first. */
export function goToSignIn(): void {
  const back = location.pathname + location.search;
  location.assign(`/sign-in?back=${encodeURIComponent(back)}`);
}

export function isAdmin(): boolean {
  return identity.value.role === 'admin';
}
