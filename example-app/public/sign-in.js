// @ts-check
import { ApiError, callApi } from './api.js';
import { find, showBanner } from './dom.js';
import { sessionChanges } from './layout.js';
import { t } from './strings.js';

const form = find('#sign-in', HTMLFormElement);
const input = find('#token', HTMLInputElement);
const button = find('button', HTMLButtonElement, form);
const problem = find('#problem', HTMLElement);

/** Somebody else is signed in; whoever sends the form once more means it. */
let replace = false;

/** @param {string} token */
async function signIn(token) {
  button.disabled = true;
  button.textContent = t('signIn.working');
  showBanner(problem);
  try {
    await callApi('/api/session', { method: 'POST', body: { token, replace } });
    // Other tabs would go on under a name that is not theirs any more.
    sessionChanges.postMessage('signed in');
    location.replace(backPath());
  } catch (error) {
    const wrong = error instanceof ApiError && error.status === 401;
    if (error instanceof ApiError && error.status === 409) {
      replace = true;
      input.value = token;
      const names = /** @type {any} */ (error.problem);
      showBanner(problem, t('signIn.other', { name: names.name, other: names.new_name }));
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    showBanner(problem, wrong ? t('signIn.wrong') : message);
    input.select();
  } finally {
    button.disabled = false;
    button.textContent = t('app.signIn');
  }
}

/** Only a path of this site: a link must not lead elsewhere after signing in. */
function backPath() {
  const back = new URLSearchParams(location.search).get('back') ?? '/';
  const url = URL.canParse(back, location.origin) ? new URL(back, location.origin) : undefined;
  // The whole address: a path such as //host would be another site.
  return url?.origin === location.origin ? url.href : '/';
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void signIn(input.value.trim());
});

// The link that the application prints carries the token behind `#`, which is never sent.
const token = decodeURIComponent(location.hash.slice(1));
if (token !== '') {
  history.replaceState(null, '', location.pathname + location.search);
  void signIn(token);
} else {
  input.focus();
}
