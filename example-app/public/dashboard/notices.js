// @ts-check
import { ApiError, goToSignIn } from '../api.js';
import { element, find, showBanner } from '../dom.js';
import { t } from '../strings.js';
import { gapText } from './gap-texts.js';

/** Number of gaps described as text; charts mark all of them. */
const MAX_GAPS = 5;

const section = (/** @type {string} */ id) => find(`#${id}`, HTMLElement);

/**
 * Describes an error and its remedy.
 *
 * @param {unknown} error undefined: all is well
 * @param {() => void} retry
 */
export function showProblem(error, retry) {
  const banner = section('problem');
  if (error === undefined) return showBanner(banner);
  if (!(error instanceof ApiError)) {
    showBanner(banner, error instanceof Error ? error.message : 'failed');
    throw error;
  }
  showBanner(banner, problemText(error));
  const signedOut = error.status === 401;
  const again = element(
    'button',
    { type: 'button' },
    t(signedOut ? 'app.signIn' : 'problem.retry'),
  );
  again.addEventListener('click', signedOut ? goToSignIn : retry);
  banner.append(' ', again);
}

/** @param {ApiError} error */
function problemText(error) {
  if (error.problem['code'] === 'ledger_unavailable') return t('problem.ledger');
  // Without a ledger there is no usage API.
  return error.status === 404 ? t('problem.noLedger') : error.message;
}

/**
 * Explains an empty dashboard.
 *
 * @param {number} calls that the view shows
 * @param {import('./view.js').View} view
 * @param {import('./usage-api.js').UsageApi} api
 */
export async function showEmptiness(calls, view, api) {
  const none = calls === 0;
  const never = none && (await api.isEmpty());
  section('dashboard').dataset['empty'] = String(none);
  section('empty').hidden = !none;
  section('empty-never').hidden = !never;
  section('empty-here').hidden = never;
  section('empty-widen').hidden = view.range === '90d';
  section('empty-clear').hidden = Object.keys(view.filters).length === 0;
}

/** @param {readonly import('./statistics-gaps.js').Gap[]} gaps oldest first */
export function showGaps(gaps) {
  const newest = gaps.toReversed().slice(0, MAX_GAPS);
  section('gaps').hidden = gaps.length === 0;
  find('ul', HTMLElement, section('gaps')).replaceChildren(
    ...newest.map((gap) => element('li', {}, gapText(gap))),
  );
}
