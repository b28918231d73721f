// @ts-check
import { SLOTS } from './colours.js';
import { statisticsGaps } from './statistics-gaps.js';

/** Rows of a list of the largest. */
const LISTED = 8;
/** Failed calls that are counted by class. */
const FAILURES = 200;

/**
 * Everything that one view asks the API, each question once; panels share the answers.
 *
 * @param {import('./usage-api.js').UsageApi} api
 * @param {import('./view.js').View} view
 * @param {import('./period.js').Period} period
 * @param {import('./usage-api.js').Parameters} callsPage
 */
export function ask(api, view, period, callsPage) {
  const { unit } = period;
  const { measure: metric, stack, filters } = view;
  const course = api.summary({ group_by: unit, percentiles: true });
  const top = (/** @type {string} */ group) =>
    api.summary({ group_by: group, metric, limit: LISTED });
  const health = api.health();
  const showsErrors = filters.outcome?.includes('error') ?? true;
  const [conversation, ...others] = filters.conversation ?? [];
  return {
    overview: api.summary({ compare: 'previous', percentiles: true, distinct: true }),
    course,
    stacked:
      stack === 'kind'
        ? course
        : api.summary({ group_by: `${unit},${stack}`, metric, limit: SLOTS }),
    hourly: unit === 'hour' ? course : api.summary({ group_by: 'hour' }),
    users: top('user'),
    models: top('model'),
    conversations: top('conversation'),
    failures: showsErrors
      ? api.records({ outcome: 'error', limit: FAILURES })
      : Promise.resolve({ records: [] }),
    calls: api.records(callsPage),
    health,
    gaps: gapsOf(api, health, period),
    conversation: conversation && others.length === 0 ? api.conversation(conversation) : undefined,
  };
}

/**
 * @param {import('./usage-api.js').UsageApi} api
 * @param {Promise<import('./usage-api.js').Health>} health
 * @param {import('./period.js').Period} period
 */
async function gapsOf(api, health, { from, end }) {
  // Charts without their explanation are better than none; the settings page tells what is wrong.
  const entries = await api.audit().catch(() => []);
  const { settings } = await health;
  if (!settings) return [];
  return statisticsGaps(entries, settings, {
    from: from.getTime(),
    to: Math.min(end, Date.now()),
  });
}
