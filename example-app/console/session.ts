import { signal } from '@preact/signals';
import { callApi, get } from './api/client.ts';
import type { Contract } from './api/contract.ts';

export type Identity = Contract['/api/session'];

/** The signed-in user; undefined until it is known, without a name for nobody. */
export const identity = signal<Identity | undefined>(undefined);

/** One object per page: a channel delivers to all others, including those of the same page. */
const changes = new BroadcastChannel('token-meter-session');
// Somebody signed out, or signed in by another name, in another tab: this tab must not continue under the old name.
changes.addEventListener('message', () => location.reload());

export async function askIdentity(): Promise<void> {
  identity.value = await get('/api/session').catch(() => ({ name: null, role: null }));
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
  return identity.value?.role === 'admin';
}
