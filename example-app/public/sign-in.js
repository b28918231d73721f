// @ts-check
import { ApiError, callApi } from './api.js';
import { find, isolated, showBanner } from './dom.js';
import { sessionChanges } from './layout.js';
import { t } from './strings.js';

const form = find('#sign-in', HTMLFormElement);
const input = find('#token', HTMLInputElement);
const button = find('#token-button', HTMLButtonElement);
const openIdButton = find('#openid-button', HTMLButtonElement);
const problem = find('#problem', HTMLElement);
const parameters = new URLSearchParams(location.search);

/** Values that the application may return in the address; others are ignored. */
const PROBLEMS = /** @type {const} */ ([
  'unavailable',
  'denied',
  'expired',
  'no_role',
  'clock',
  'failed',
]);
/** Maximum length that the application accepts. */
const BACK_MAX_LENGTH = 2000;

/** Another user is signed in: sending the form again replaces that session. */
let replace = false;

/** @param {string} token */
async function signIn(token) {
  button.disabled = true;
  button.textContent = t('signIn.working');
  showBanner(problem);
  try {
    await callApi('/api/session', { method: 'POST', body: { token, replace } });
    signedIn();
  } catch (error) {
    const wrong = error instanceof ApiError && error.status === 401;
    if (error instanceof ApiError && error.status === 409) {
      replace = true;
      input.value = token;
      const names = /** @type {any} */ (error.problem);
      showBanner(
        problem,
        t('signIn.other', { name: isolated(names.name), other: isolated(names.new_name) }),
      );
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

/** Redirects to the provider, which redirects back to this page. */
async function signInWithOpenId() {
  openIdButton.disabled = true;
  showBanner(problem);
  try {
    const { pathname, search, hash } = new URL(backAddress());
    const path = pathname + search + hash;
    const back = path.length > BACK_MAX_LENGTH ? '/' : path;
    const answer = await callApi('/api/session/openid', { method: 'POST', body: { back } });
    location.assign((await answer.json()).url);
  } catch (error) {
    const unavailable = error instanceof ApiError && error.status === 503;
    const message = error instanceof Error ? error.message : String(error);
    showBanner(problem, unavailable ? t('signIn.problem.unavailable') : message);
  } finally {
    openIdButton.disabled = false;
  }
}

function signedIn() {
  // Other tabs still show the previous user.
  sessionChanges.postMessage('signed in');
  location.replace(backAddress());
}

/** Only on this site: a link must not lead elsewhere after signing in. */
function backAddress() {
  const back = parameters.get('back') ?? '/';
  const url = URL.canParse(back, location.origin) ? new URL(back, location.origin) : undefined;
  // Checks the resolved address: a path such as //host is another site.
  return url?.origin === location.origin ? url.href : `${location.origin}/`;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void signIn(input.value.trim());
});

const provider = document.body.dataset['openid'] ?? '';
if (provider !== '') {
  find('#openid', HTMLElement).hidden = false;
  find('#hint', HTMLElement).hidden = true;
  button.classList.remove('primary');
  openIdButton.textContent = t('signIn.openid', { provider });
  openIdButton.addEventListener('click', () => void signInWithOpenId());
}

const refused = PROBLEMS.find((each) => each === parameters.get('problem'));
// The printed link has the token in its fragment, which browsers do not send.
const token = decoded(location.hash.slice(1));
if (parameters.get('signed-in') === 'openid') {
  signedIn();
} else if (token !== '') {
  history.replaceState(null, '', location.pathname + location.search);
  void signIn(token);
} else {
  if (refused) showBanner(problem, t(`signIn.problem.${refused}`));
  (provider === '' ? input : openIdButton).focus();
}
