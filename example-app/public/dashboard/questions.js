// @ts-check
import { SLOTS } from './colours.js';
import { SettingsHistory } from './settings-history.js';
import { statisticsGaps } from './statistics-gaps.js';

/** Rows of a top list. */
const LISTED = 8;
/** Failed calls that are read to count them by class. */
const FAILURES = 200;

const history = new SettingsHistory();

/**
 * All queries of one view, each sent once; panels share the responses. Ordered by
 * position on the page, since the ledger answers one after the other.
 *
 * @param {import('./usage-api.js').UsageApi} api
 * @param {import('./view.js').View} view
 * @param {import('./period.js').Period} period
 * @param {import('./usage-api.js').Parameters} callsPage
 */
export function askSums(api, view, period, callsPage) {
  const { unit } = period;
  const { measure: metric, stack, filters } = view;
  const overview = api.summary({ compare: 'previous' });
  const health = api.health();
  const explained = gapsOf(api, health, period);
  const course = api.summary({ group_by: unit });
  const showsErrors = filters.outcome?.includes('error') ?? true;
  const [conversation, ...others] = filters.conversation ?? [];
  return {
    overview,
    health,
    gaps: explained.then(({ gaps }) => gaps),
    refused: explained.then(({ refused }) => refused),
    course,
    stacked:
      stack === 'kind'
        ? course
        : api.summary({ group_by: `${unit},${stack}`, metric, limit: SLOTS }),
    models: api.summary({ group_by: 'model', metric, limit: LISTED }),
    calls: api.records(callsPage),
    hourly: unit === 'hour' ? course : api.summary({ group_by: 'hour' }),
    failures: showsErrors
      ? api.records({ outcome: 'error', limit: FAILURES })
      : Promise.resolve({ records: [] }),
    conversation: conversation && others.length === 0 ? api.conversation(conversation) : undefined,
  };
}

/**
 * Queries that read every call of the range.
 *
 * @param {import('./usage-api.js').UsageApi} api
 * @param {import('./view.js').View} view
 * @param {import('./period.js').Period} period
 */
export function askCalls(api, { measure: metric }, { unit }) {
  return {
    users: api.summary({ group_by: 'user', metric, limit: LISTED }),
    conversations: api.summary({ group_by: 'conversation', metric, limit: LISTED }),
    details: api.summary({ compare: 'previous', percentiles: true, distinct: true }),
    latencies: api.summary({ group_by: unit, percentiles: true }),
  };
}

/**
 * @param {import('./usage-api.js').UsageApi} api
 * @param {Promise<import('./usage-api.js').Health>} health
 * @param {import('./period.js').Period} period
 */
async function gapsOf(api, health, { from, end }) {
  const { settings } = await health;
  if (!settings) return { gaps: [], refused: undefined };
  const { entries, refused } = await history.until(settings, () => api.audit());
  const range = { from: from.getTime(), to: Math.min(end, Date.now()) };
  return { gaps: statisticsGaps(entries, settings, range), refused };
}
