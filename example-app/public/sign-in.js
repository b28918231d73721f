// @ts-check
import { ApiError, callApi } from './api.js';
import { find, showBanner } from './dom.js';
import { t } from './strings.js';

const form = find('#sign-in', HTMLFormElement);
const input = find('#token', HTMLInputElement);
const button = find('button', HTMLButtonElement, form);
const problem = find('#problem', HTMLElement);

/** @param {string} token */
async function signIn(token) {
  button.disabled = true;
  button.textContent = t('signIn.working');
  showBanner(problem);
  try {
    await callApi('/api/session', { method: 'POST', body: { token } });
    location.replace(backPath());
  } catch (error) {
    const wrong = error instanceof ApiError && error.status === 401;
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
  return url?.origin === location.origin ? url.pathname + url.search : '/';
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
