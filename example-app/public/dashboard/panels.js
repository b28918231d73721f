// @ts-check
import { ApiError } from '../api.js';
import { find } from '../dom.js';
import { t } from '../strings.js';
import { CallsPanel } from './calls-panel.js';
import { ConversationPanel } from './conversation-panel.js';
import { CoursePanel } from './course-panel.js';
import { FailuresPanel } from './failures-panel.js';
import { FilterBar } from './filter-bar.js';
import { showAlerts, showHealth, showQuality } from './health-panel.js';
import { HeatMap } from './heat-map.js';
import { LatencyPanel } from './latency-panel.js';
import { showEmptiness, showGaps } from './notices.js';
import { RangePicker } from './range-picker.js';
import { Segments } from './segments.js';
import { showDetailLines, showDetails, showDropped, showSumLines, showSums } from './tiles.js';
import { TopList } from './top-list.js';
import { latencies, measures, stacks } from './view.js';

/**
 * @typedef {import('./view.js').View} View
 * @typedef {import('./view.js').Context} Context
 * @typedef {import('./usage-api.js').UsageApi} UsageApi
 * @typedef {ReturnType<typeof import('./questions.js').askSums>} Sums
 * @typedef {ReturnType<typeof import('./questions.js').askCalls>} Calls
 * @typedef {{
 *   change: (part: Partial<View>) => void,
 *   go: (view: View) => void,
 *   pick: (dimension: import('./view.js').Dimension, value: string) => void,
 *   turnPage: () => Promise<void>,
 * }} Wishes User actions.
 */

const section = (/** @type {string} */ id) => find(`#${id}`, HTMLElement);

/** All panels of the page, and the response that each one shows. */
export class Panels {
  #filterBar;
  #rangePicker;
  #measure;
  #stack;
  #latencyOf;
  #course;
  #users;
  #models;
  #conversations;
  #heatMap = new HeatMap(section('heat-table'), section('heat-note'));
  #latency;
  #failures;
  #conversation;
  /** The newest calls. Their page is not part of the view. */
  calls;

  /** @param {Wishes} wishes */
  constructor({ change, go, pick, turnPage }) {
    const zoom = (/** @type {Date} */ from, /** @type {Date} */ to) =>
      change({ range: { from: from.toISOString(), to: to.toISOString() } });
    this.#filterBar = new FilterBar(section('controls'), go);
    this.#rangePicker = new RangePicker(section('range'), (range) => change({ range }));
    this.#measure = new Segments(
      section('measure'),
      measures.map((measure) => [measure, t(`measure.${measure}`)]),
      (measure) => change({ measure }),
    );
    this.#stack = new Segments(
      section('stack'),
      stacks.map((stack) => [stack, t(`stack.${stack}`)]),
      (stack) => change({ stack }),
    );
    this.#latencyOf = new Segments(
      section('latency-of'),
      latencies.map((latency) => [latency, t(`latency.${latency}`)]),
      (latency) => change({ latency }),
    );
    this.#course = new CoursePanel(section('course'), zoom, pick);
    this.#users = new TopList(section('top-user'), 'user', pick);
    this.#models = new TopList(section('top-model'), 'model', pick);
    this.#conversations = new TopList(section('top-conversation'), 'conversation', pick);
    this.#latency = new LatencyPanel(section('latency'), zoom);
    this.#failures = new FailuresPanel(section('failures'), zoom);
    this.#conversation = new ConversationPanel(section('conversation'), pick);
    this.calls = new CallsPanel(section('calls'), { onPick: pick, onPage: turnPage });
    section('empty-widen').addEventListener('click', () => change({ range: '90d' }));
    section('empty-clear').addEventListener('click', () => change({ filters: {} }));
  }

  /** @param {View} view @param {import('./period.js').Period} period @param {UsageApi} api */
  showControls(view, period, api) {
    this.#rangePicker.show(view.range, period);
    this.#filterBar.show(view);
    this.#measure.show(view.measure);
    this.#stack.show(view.stack);
    this.#latencyOf.show(view.latency);
    section('course-title').textContent = t(`course.${view.measure}`);
    find('#csv', HTMLAnchorElement).href = api.csvLink();
  }

  /**
   * Shows each response when it arrives; previous content stays until then.
   *
   * @param {Sums} answers
   * @param {Context} context
   * @param {UsageApi} api
   */
  showSums(answers, context, api) {
    const { overview, course, gaps } = answers;
    return [
      overview.then(showSums),
      overview.then(({ total }) => showEmptiness(total.calls, context.view, api)),
      course.then((answer) => showSumLines(answer, context.period)),
      answers.health.then((health) => this.showHealth(health)),
      gaps.then(showGaps),
      answers.refused.then((refused) => {
        if (refused) throw refused;
      }),
      Promise.all([answers.stacked, gaps]).then(([answer, known]) =>
        this.#course.show(answer, known, context),
      ),
      this.#showTop(this.#models, 'model', answers.models, context),
      Promise.all([overview, answers.models]).then(([{ total }, { rows }]) =>
        showQuality(section('quality'), total, rows),
      ),
      answers.calls.then((page) => this.calls.show(page)),
      Promise.all([overview, course, answers.failures, gaps]).then(
        ([{ total }, answer, newest, known]) =>
          this.#failures.show(answer, total, newest, known, context),
      ),
      answers.hourly.then((answer) => this.#heatMap.show(answer, context)),
      this.#showConversation(answers.conversation),
    ];
  }

  /** @param {Calls} answers @param {Sums['gaps']} gaps @param {Context} context */
  showCalls(answers, gaps, context) {
    const { details, latencies: course } = answers;
    return [
      this.#showTop(this.#users, 'user', answers.users, context),
      this.#showTop(this.#conversations, 'conversation', answers.conversations, context),
      details.then(showDetails),
      course.then((answer) => showDetailLines(answer, context.period)),
      Promise.all([course, details, gaps]).then(([answer, { total }, known]) =>
        this.#latency.show(answer, total, known, context),
      ),
    ];
  }

  /** @param {import('./usage-api.js').Health} health */
  showHealth(health) {
    showDropped(health);
    showHealth(section('exporter'), health);
    showAlerts(section('alerts'), health.alerts);
  }

  /**
   * @param {TopList} list
   * @param {'user' | 'model' | 'conversation'} dimension
   * @param {Promise<import('./usage-api.js').Summary>} answer
   * @param {Context} context
   */
  async #showTop(list, dimension, answer, context) {
    const summary = await answer;
    list.show(summary, context);
    const named = summary.rows.filter((row) => !row.is_other);
    this.#filterBar.suggest(
      dimension,
      named.map((row) => row[dimension]),
    );
  }

  /** @param {Sums['conversation']} asked */
  async #showConversation(asked) {
    if (!asked) return this.#conversation.hide();
    try {
      this.#conversation.show(await asked);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.#conversation.show(undefined);
    }
  }
}
