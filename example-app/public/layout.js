// @ts-check
import { callApi, goToSignIn } from './api.js';
import { element, find, isolated } from './dom.js';
import { t } from './strings.js';

/** @typedef {{ name: string | null, role: 'viewer' | 'admin' | null }} Identity */

/** Who uses the page, for every module of it. @type {Promise<Identity>} */
export const identity = callApi('/api/session')
  .then((answer) => answer.json())
  .catch(() => ({ name: null, role: null }));

/** One object for the whole page: a channel delivers to every other one, also of the page itself. */
export const sessionChanges = new BroadcastChannel('token-meter-session');
// Somebody signed out, or signed in by another name, in another tab: this one must not go on unnoticed.
sessionChanges.addEventListener('message', () => location.reload());

void identity.then(({ name, role }) => {
  const who = find('#who', HTMLElement);
  if (name === null || role === null) {
    if (document.body.dataset['page'] === 'sign-in') return;
    const link = element('button', { type: 'button', class: 'plain' }, t('app.signIn'));
    link.addEventListener('click', goToSignIn);
    who.replaceChildren(link);
    return;
  }
  const out = element('button', { type: 'button', class: 'plain' }, t('app.signOut'));
  out.addEventListener('click', () => {
    void callApi('/api/session', { method: 'DELETE' }).finally(() => {
      sessionChanges.postMessage('signed out');
      goToSignIn();
    });
  });
  who.replaceChildren(
    element('span', {}, t('app.signedInAs', { name: isolated(name), role: t(`role.${role}`) })),
    out,
  );
});
