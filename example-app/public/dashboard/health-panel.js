// @ts-check
import { element, find, isolated } from '../dom.js';
import { formatMoney, formatMs, formatPercent, formatWhole } from '../formats.js';
import { formatAgo, formatTime, t } from '../strings.js';

/**
 * @typedef {import('./usage-api.js').Health} Health
 * @typedef {'good' | 'warn' | 'bad'} Tone
 */

const MAX_NAMES = 5;

/**
 * Health of the plugin: whether the numbers are complete.
 *
 * @param {HTMLElement} list a `dl`
 * @param {Health} health
 */
export function showHealth(list, health) {
  list.replaceChildren(
    ...exporterRows(health),
    ...backlogRows(health),
    ...settingsRows(health),
    ...priceRows(health),
  );
}

/**
 * Quality of the numbers in the range.
 *
 * @param {HTMLElement} list a `dl`
 * @param {import('./usage-api.js').Total} total
 * @param {readonly import('./usage-api.js').Row[]} models
 */
export function showQuality(
  list,
  { estimated_share: estimated, unpriced_calls: unpriced },
  models,
) {
  const names = models
    .filter((row) => row.unpriced_calls > 0 && !row.is_other)
    .map((row) => row.model ?? '');
  const count = formatWhole(unpriced);
  // Smaller models are part of the `(other)` row, which has no names.
  const calls =
    names.length === 0
      ? t('usage.calls', { count })
      : t('health.unpricedCalls', { count, models: listed(names) });
  const unpricedText = unpriced === 0 ? t('health.allPriced') : calls;
  list.replaceChildren(
    ...row(
      t('health.estimated'),
      estimated === undefined ? t('health.nothingCounted') : formatPercent(estimated),
    ),
    ...row(t('health.unpriced'), unpricedText, unpriced > 0 ? 'warn' : undefined),
  );
}

/**
 * Active alerts.
 *
 * @param {HTMLElement} host
 * @param {Health['alerts']} alerts
 */
export function showAlerts(host, alerts) {
  host.hidden = alerts.length === 0;
  find('ul', HTMLElement, host).replaceChildren(
    ...alerts.map((alert) => {
      const bad = alert.level === 'alert';
      return element(
        'li',
        { class: 'banner', 'data-tone': bad ? 'bad' : 'warn' },
        element('strong', {}, t(bad ? 'alert.alert' : 'alert.warning')),
        ' ',
        alertText(alert),
      );
    }),
  );
}

/** @param {Health['alerts'][number]} alert */
function alertText({
  rule,
  metric,
  by,
  key,
  value,
  at_least: atLeast,
  threshold,
  no_data: noData,
  window_ms: span,
  since,
}) {
  const format = metric === 'costUsd' ? formatMoney : formatWhole;
  const whose = by === 'all' ? '' : ` (${isolated(key ?? t('usage.noUser'))})`;
  const what = noData
    ? t('alert.noData', { window: formatMs(span) })
    : t('alert.reached', {
        value: atLeast ? t('alert.atLeast', { value: format(value) }) : format(value),
        threshold: format(threshold),
        window: formatMs(span),
      });
  return `${isolated(rule)}${whose}: ${what} ${t('alert.since', { time: formatTime(since) })}`;
}

/** @param {Health} health */
function exporterRows({ exporter }) {
  if (!exporter) return row(t('health.exporter'), t('health.noExporter'), 'warn');
  const { state, dropped, last_error: error } = exporter;
  /** @type {Readonly<Record<string, Tone>>} */
  const tones = { ok: 'good', retrying: 'warn', failing: 'bad', closed: 'warn' };
  const waiting = exporter.pending ?? exporter.accepted - exporter.delivered;
  const lost = Object.entries(dropped).filter(([, count]) => count > 0);
  return [
    ...row(t('health.exporter'), badge(t(`exporter.${state}`), tones[state])),
    ...row(
      t('health.waiting'),
      exporter.oldest_age_ms === undefined
        ? formatWhole(waiting)
        : t('health.oldest', {
            count: formatWhole(waiting),
            age: formatMs(exporter.oldest_age_ms),
          }),
    ),
    ...(exporter.volatile === undefined
      ? []
      : row(t('health.volatile'), formatWhole(exporter.volatile), 'bad')),
    ...(exporter.handed_over === undefined
      ? []
      : row(t('health.handedOver'), formatWhole(exporter.handed_over), 'warn')),
    ...row(
      t('health.dropped'),
      lost.length === 0
        ? formatWhole(0)
        : lost.map(([reason, count]) => `${formatWhole(count)} ${reason}`).join(', '),
      lost.length > 0 ? 'bad' : undefined,
    ),
    ...row(t('health.retries'), formatWhole(exporter.retries)),
    ...(exporter.last_success === undefined
      ? []
      : row(t('health.lastSuccess'), formatAgo(exporter.last_success))),
    ...(state === 'ok' || !error ? [] : row(t('health.lastError'), error.message, 'bad')),
  ];
}

/** @param {Health} health */
function backlogRows({ backlogs }) {
  return backlogs.flatMap(({ destination, lines }) =>
    row(
      t('health.backlog'),
      t('health.waitsFor', { count: formatWhole(lines), destination }),
      'warn',
    ),
  );
}

/** @param {Health} health */
function settingsRows({ settings }) {
  if (!settings) return [];
  const { enabled, token_statistics: tokens, version, state, stale_since: since } = settings;
  const on = enabled ? (tokens ? 'everything' : 'basic') : 'nothing';
  const link = element('a', { href: '/settings' }, t('health.recordsLink'));
  return [
    ...row(
      t('health.records'),
      badge(t(`health.records.${on}`), on === 'everything' ? 'good' : 'warn'),
      on === 'everything' ? undefined : 'warn',
      link,
    ),
    ...row(
      t('health.settings'),
      state === 'stale' && since !== undefined
        ? t('health.stale', { version, since: formatTime(since) })
        : t('health.version', { version }),
      state === 'stale' ? 'warn' : undefined,
    ),
  ];
}

/** @param {Health} health */
function priceRows({ prices }) {
  if (!prices) return [];
  const { name, date, file, overrides, problem, currency } = prices;
  const source = [name, date, file, overrides && t('health.overrides', { name: overrides })];
  const rate = currency && t('health.rate', { code: currency.code, rate: currency.usd_per_unit });
  return [
    ...row(t('health.prices'), joined(source)),
    ...(problem === undefined ? [] : row(t('health.pricesProblem'), problem, 'warn')),
    ...(rate === undefined ? [] : row(t('health.currency'), joined([rate, currency?.date]))),
  ];
}

/** @param {readonly (string | undefined)[]} parts */
function joined(parts) {
  return parts.filter((part) => part !== undefined && part !== '').join(' · ');
}

/**
 * @param {string} name
 * @param {string | Node} value
 * @param {Tone} [tone]
 * @param {...Node} after
 */
function row(name, value, tone, ...after) {
  return [
    element('dt', {}, name),
    element('dd', { 'data-tone': tone }, value, ...after.flatMap((node) => [' ', node])),
  ];
}

/** @param {string} text @param {Tone | undefined} tone */
function badge(text, tone) {
  return element('span', { class: 'badge', 'data-tone': tone }, text);
}

/** @param {readonly string[]} names */
function listed(names) {
  const more = names.length > MAX_NAMES ? ' …' : '';
  return names.slice(0, MAX_NAMES).map(isolated).join(', ') + more;
}
