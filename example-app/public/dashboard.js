// @ts-check
import { ApiError, goToSignIn } from './api.js';
import { followUsage } from './dashboard/live-updates.js';
import { showProblem } from './dashboard/notices.js';
import { Panels } from './dashboard/panels.js';
import { periodOf } from './dashboard/period.js';
import { askCalls, askSums } from './dashboard/questions.js';
import { UsageApi } from './dashboard/usage-api.js';
import { searchOf, viewOf, withFilter } from './dashboard/view.js';
import { find } from './dom.js';
import { identity } from './layout.js';
import { locale, t } from './strings.js';

/**
 * @typedef {import('./dashboard/view.js').View} View
 * @typedef {import('./dashboard/view.js').Dimension} Dimension
 */

/** Limits updates when there are hundreds of calls per second. */
const REFRESH_MS = { hour: 1000, day: 10_000 };
/** Live updates scan every call of the range for at most a tenth of the time. */
const REST = 9;

const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
const dashboard = find('#dashboard', HTMLElement);

let view = viewOf(location.search);
let loading = new AbortController();
/** Whether a load is running, and whether there were new calls since it started. */
let busy = false;
let newsWaits = false;
/** Earliest time of the next full scan, ms. */
let restedAt = 0;
/** Earliest time of the next live update, since the server has asked to wait, ms. */
let notBefore = 0;

/** @param {View} next */
function go(next) {
  history.pushState(null, '', location.pathname + searchOf(next));
  showAnother(next);
}

/** @param {View} next */
function showAnother(next) {
  view = next;
  panels.calls.reset();
  restedAt = 0;
  dashboard.dataset['changing'] = 'true';
  void load();
}

/**
 * Picking the only value again removes the filter. @param {Dimension} dimension @param {string}
 * value
 */
function pick(dimension, value) {
  const [only, ...more] = view.filters[dimension] ?? [];
  const again = more.length === 0 && only === value;
  go(withFilter(view, dimension, again ? [] : [value]));
  // The timeline appears above the picked element, outside the viewport.
  if (dimension === 'conversation' && !again) find('#controls', HTMLElement).scrollIntoView();
}

const panels = new Panels({
  go,
  pick,
  change: (part) => go({ ...view, ...part }),
  turnPage,
});

/** Reloads and shows each response as it arrives. */
async function load() {
  loading.abort();
  const { signal } = (loading = new AbortController());
  const period = periodOf(view.range, new Date());
  const context = { view, period };
  const api = new UsageApi(view, period, signal);
  busy = true;
  newsWaits = false;
  dashboard.setAttribute('aria-busy', 'true');
  panels.showControls(view, period, api);
  const sums = askSums(api, view, period, panels.calls.parameters);
  const tasks = panels.showSums(sums, context, api);
  const rested = Date.now() >= restedAt;
  if (rested) tasks.push(...panels.showCalls(askCalls(api, view, period), sums.gaps, context));
  const began = Date.now();
  const outcomes = await Promise.allSettled(tasks);
  if (signal.aborted) return;
  if (rested) restedAt = Date.now() + REST * (Date.now() - began);
  else setTimeout(onNews, restedAt - Date.now());
  busy = false;
  dashboard.setAttribute('aria-busy', 'false');
  dashboard.dataset['loaded'] = 'true';
  delete dashboard.dataset['changing'];
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) {
    const time = clock.format(new Date());
    find('#updated', HTMLElement).textContent = t('live.updated', { time });
  }
  const reason = failed?.reason;
  notBefore = reason instanceof ApiError ? Date.now() + reason.waitMs : 0;
  if (notBefore > Date.now()) {
    newsWaits = false;
    onNews();
  } else if (newsWaits) void load();
  showProblem(reason, () => void load());
}

/** Reloads only the calls. */
async function turnPage() {
  const api = new UsageApi(view, periodOf(view.range, new Date()), loading.signal);
  try {
    panels.calls.show(await api.records(panels.calls.parameters));
  } catch (error) {
    if (!loading.signal.aborted) showProblem(error, () => void turnPage());
  }
}

/** New calls during a load are handled after it. A range in the past has none. */
function onNews() {
  if (typeof view.range !== 'string' || newsWaits) return;
  newsWaits = true;
  const { unit } = periodOf(view.range, new Date());
  const waitMs = Math.max(REFRESH_MS[unit], notBefore - Date.now() + 100);
  setTimeout(() => {
    if (!busy && newsWaits && Date.now() >= notBefore) void load();
  }, waitMs);
}

addEventListener('popstate', () => showAnother(viewOf(location.search)));

const { name } = await identity;
if (name === null) {
  goToSignIn();
} else {
  void load();
  const live = find('#live', HTMLElement);
  followUsage({
    onNews,
    onHealth: (health) => panels.showHealth(health),
    onConnection(state) {
      live.textContent = t(`live.${state}`);
      live.dataset['state'] = state;
    },
  });
}
