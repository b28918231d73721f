// @ts-check
import { ApiError, goToSignIn } from './api.js';
import { CallsPanel } from './dashboard/calls-panel.js';
import { ConversationPanel } from './dashboard/conversation-panel.js';
import { CoursePanel } from './dashboard/course-panel.js';
import { FailuresPanel } from './dashboard/failures-panel.js';
import { FilterBar } from './dashboard/filter-bar.js';
import { gapText } from './dashboard/gap-texts.js';
import { showAlerts, showHealth, showQuality } from './dashboard/health-panel.js';
import { HeatMap } from './dashboard/heat-map.js';
import { LatencyPanel } from './dashboard/latency-panel.js';
import { followUsage } from './dashboard/live-updates.js';
import { periodOf } from './dashboard/period.js';
import { ask } from './dashboard/questions.js';
import { RangePicker } from './dashboard/range-picker.js';
import { Segments } from './dashboard/segments.js';
import { showDropped, showSparklines, showTiles } from './dashboard/tiles.js';
import { TopList } from './dashboard/top-list.js';
import { UsageApi } from './dashboard/usage-api.js';
import { latencies, measures, searchOf, stacks, viewOf, withFilter } from './dashboard/view.js';
import { element, find, showBanner } from './dom.js';
import { identity } from './layout.js';
import { locale, t } from './strings.js';

/**
 * @typedef {import('./dashboard/view.js').View} View
 * @typedef {import('./dashboard/view.js').Dimension} Dimension
 * @typedef {import('./dashboard/view.js').Context} Context
 */

/** Calls may come by the hundred a second; people do not read that fast. */
const REFRESH_MS = { hour: 1000, day: 10_000 };

const dashboard = find('#dashboard', HTMLElement);
const problem = find('#problem', HTMLElement);
const empty = find('#empty', HTMLElement);
const section = (/** @type {string} */ id) => find(`#${id}`, HTMLElement);

let view = viewOf(location.search);
let loading = new AbortController();
/** Whether a load runs, and whether there was news since it began. */
let busy = false;
let newsWaits = false;
/** Whether the conversation was just picked and has to be brought into sight. */
let followConversation = false;

/** @param {View} next */
function go(next) {
  history.pushState(null, '', location.pathname + searchOf(next));
  view = next;
  callsPanel.reset();
  void load();
}

/** Picking the only value again takes the filter away. @param {Dimension} dimension @param {string} value */
function pick(dimension, value) {
  const [only, ...more] = view.filters[dimension] ?? [];
  const again = more.length === 0 && only === value;
  go(withFilter(view, dimension, again ? [] : [value]));
  // It appears above what was picked, out of sight.
  if (dimension === 'conversation' && !again) followConversation = true;
}

/** @param {Date} from @param {Date} to */
function zoom(from, to) {
  go({ ...view, range: { from: from.toISOString(), to: to.toISOString() } });
}

const filterBar = new FilterBar(section('controls'), go);
const rangePicker = new RangePicker(section('range'), (range) => go({ ...view, range }));
const measureSwitch = new Segments(
  section('measure'),
  measures.map((measure) => [measure, t(`measure.${measure}`)]),
  (measure) => go({ ...view, measure }),
);
const stackSwitch = new Segments(
  section('stack'),
  stacks.map((stack) => [stack, t(`stack.${stack}`)]),
  (stack) => go({ ...view, stack }),
);
const latencySwitch = new Segments(
  section('latency-of'),
  latencies.map((latency) => [latency, t(`latency.${latency}`)]),
  (latency) => go({ ...view, latency }),
);
const coursePanel = new CoursePanel(section('course'), zoom, pick);
const topUsers = new TopList(section('top-user'), 'user', pick);
const topModels = new TopList(section('top-model'), 'model', pick);
const topConversations = new TopList(section('top-conversation'), 'conversation', pick);
const heatMap = new HeatMap(section('heat-table'), section('heat-note'));
const latencyPanel = new LatencyPanel(section('latency'), zoom);
const failuresPanel = new FailuresPanel(section('failures'), zoom);
const conversationPanel = new ConversationPanel(section('conversation'), pick);
const callsPanel = new CallsPanel(section('calls'), { onPick: pick, onPage: () => void load() });

/** Asks anew and shows each answer as it comes; what is shown stays until then. */
async function load() {
  loading.abort();
  const { signal } = (loading = new AbortController());
  const period = periodOf(view.range, new Date());
  const shown = view;
  const api = new UsageApi(shown, period, signal);
  busy = true;
  newsWaits = false;
  dashboard.setAttribute('aria-busy', 'true');
  showControls(period, api);
  const answers = ask(api, shown, period, callsPanel.parameters);
  const { overview, course, gaps } = answers;
  /** @param {readonly import('./dashboard/statistics-gaps.js').Gap[]} known @returns {Context} */
  const context = (known = []) => ({ view: shown, period, gaps: known });
  const tasks = [
    overview.then((answer) => showTiles(answer)),
    overview.then((answer) => showEmptiness(answer, api)),
    course.then((answer) => showSparklines(answer, period)),
    answers.health.then(showPluginHealth),
    gaps.then(showGaps),
    Promise.all([answers.stacked, gaps]).then(([answer, known]) =>
      coursePanel.show(answer, context(known)),
    ),
    Promise.all([course, overview, gaps]).then(([answer, { total }, known]) =>
      latencyPanel.show(answer, total, context(known)),
    ),
    Promise.all([course, overview, answers.failures, gaps]).then(
      ([answer, { total }, failures, known]) =>
        failuresPanel.show(answer, total, failures, context(known)),
    ),
    answers.hourly.then((answer) => heatMap.show(answer, context())),
    Promise.all([overview, answers.models]).then(([{ total }, { rows }]) =>
      showQuality(section('quality'), total, rows),
    ),
    showTop(topUsers, 'user', answers.users, context()),
    showTop(topModels, 'model', answers.models, context()),
    showTop(topConversations, 'conversation', answers.conversations, context()),
    answers.calls.then((page) => callsPanel.show(page)),
    showConversation(answers.conversation),
  ];
  const outcomes = await Promise.allSettled(tasks);
  if (signal.aborted) return;
  busy = false;
  dashboard.setAttribute('aria-busy', 'false');
  dashboard.dataset['loaded'] = 'true';
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  showProblem(failed?.reason);
  if (!failed)
    section('updated').textContent = t('live.updated', { time: clock.format(new Date()) });
  if (newsWaits) void load();
}

const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });

/** @param {import('./dashboard/period.js').Period} period @param {UsageApi} api */
function showControls(period, api) {
  rangePicker.show(view.range, period);
  filterBar.show(view);
  measureSwitch.show(view.measure);
  stackSwitch.show(view.stack);
  latencySwitch.show(view.latency);
  section('course-title').textContent = t(`course.${view.measure}`);
  find('#csv', HTMLAnchorElement).href = api.csvLink();
}

/**
 * @param {TopList} list
 * @param {Dimension} dimension
 * @param {Promise<import('./dashboard/usage-api.js').Summary>} answer
 * @param {Context} context
 */
async function showTop(list, dimension, answer, context) {
  const summary = await answer;
  list.show(summary, context);
  const named = summary.rows.filter((row) => !row.is_other);
  filterBar.suggest(
    dimension,
    named.map((row) =>
      dimension === 'user' || dimension === 'model' ? row[dimension] : row.conversation,
    ),
  );
}

/** @param {Promise<import('./dashboard/usage-api.js').Conversation> | undefined} asked */
async function showConversation(asked) {
  if (!asked) return conversationPanel.hide();
  try {
    conversationPanel.show(await asked);
    if (followConversation) section('conversation').scrollIntoView();
    followConversation = false;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    conversationPanel.show(undefined);
  }
}

/** @param {import('./dashboard/usage-api.js').Summary} overview @param {UsageApi} api */
async function showEmptiness({ total }, api) {
  const none = total.calls === 0;
  const never = none && (await api.isEmpty());
  dashboard.dataset['empty'] = String(none);
  empty.hidden = !none;
  section('empty-never').hidden = !never;
  section('empty-here').hidden = never;
  section('empty-widen').hidden = view.range === '90d';
  section('empty-clear').hidden = Object.keys(view.filters).length === 0;
}

/** @param {import('./dashboard/usage-api.js').Health} health */
function showPluginHealth(health) {
  showDropped(health);
  showHealth(section('exporter'), health);
  showAlerts(section('alerts'), health.alerts);
}

/** @param {Context['gaps']} gaps newest last */
function showGaps(gaps) {
  const newest = gaps.toReversed().slice(0, 5);
  section('gaps').hidden = gaps.length === 0;
  find('ul', HTMLElement, section('gaps')).replaceChildren(
    ...newest.map((gap) => element('li', {}, gapText(gap))),
  );
}

/** @param {unknown} error none: all is well */
function showProblem(error) {
  if (error === undefined) return showBanner(problem);
  if (!(error instanceof ApiError)) {
    showBanner(problem, error instanceof Error ? error.message : 'failed');
    throw error;
  }
  showBanner(problem, problemText(error));
  const signedOut = error.status === 401;
  const again = element(
    'button',
    { type: 'button' },
    t(signedOut ? 'app.signIn' : 'problem.retry'),
  );
  again.addEventListener('click', () => (signedOut ? goToSignIn() : void load()));
  problem.append(' ', again);
}

/** @param {ApiError} error */
function problemText(error) {
  if (error.problem['code'] === 'ledger_unavailable') return t('problem.ledger');
  // Without a ledger the API does not exist.
  return error.status === 404 ? t('problem.noLedger') : error.message;
}

/** News while a load runs wait for its end; a range that has ended has none. */
function onNews() {
  if (typeof view.range !== 'string' || newsWaits) return;
  newsWaits = true;
  const { unit } = periodOf(view.range, new Date());
  setTimeout(() => {
    if (!busy && newsWaits) void load();
  }, REFRESH_MS[unit]);
}

section('empty-widen').addEventListener('click', () => go({ ...view, range: '90d' }));
section('empty-clear').addEventListener('click', () => go({ ...view, filters: {} }));
addEventListener('popstate', () => {
  view = viewOf(location.search);
  callsPanel.reset();
  void load();
});

const { name } = await identity;
if (name === null) {
  goToSignIn();
} else {
  await load();
  const live = section('live');
  followUsage({
    onNews,
    onHealth: showPluginHealth,
    onConnection(state) {
      live.textContent = t(`live.${state}`);
      live.dataset['state'] = state;
    },
  });
}
