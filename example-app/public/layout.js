// @ts-check
import { callApi, goToSignIn } from './api.js';
import { element, find, isolated } from './dom.js';
import { t } from './strings.js';

/** @typedef {{ name: string | null, role: 'viewer' | 'admin' | null }} Identity */

/** The signed-in user, for all modules of the page. @type {Promise<Identity>} */
export const identity = callApi('/api/session')
  .then((answer) => answer.json())
  .catch(() => ({ name: null, role: null }));

/** One object per page: a channel delivers to all others, including those of the same page. */
export const sessionChanges = new BroadcastChannel('token-meter-session');
// Somebody signed out, or signed in by another name, in another tab: this tab must not continue under the old name.
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
