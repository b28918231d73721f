// @ts-check
import { element, find, isolated, nameElement } from './dom.js';
import { formatDuration, formatList, formatNumber, formatTime, t } from './strings.js';

/** @typedef {import('./settings-live.js').Instance} Instance */
/** @typedef {import('./settings-live.js').InstanceList} InstanceList */
/**
 * @typedef {{
 *   version: number, time: string, actor: string, action: 'change' | 'restore' | 'adopt',
 *   reason?: string, from: Record<string, unknown>, to: Record<string, unknown>,
 *   undo: Partial<Record<'enabled' | 'token_statistics', boolean | null>>,
 * }} AuditEntry
 */

/** Maximum number of rows; instances with problems come first. */
const MAX_ROWS = 200;

/**
 * @param {InstanceList} list
 * @param {number} version the current one
 */
export function showInstances({ instances }, version) {
  const summary = find('#instances-summary', HTMLElement);
  const table = find('#instances', HTMLTableElement);
  const rows = instances.toSorted((a, b) => needOf(b, version) - needOf(a, version));
  const current = instances.filter((instance) => instance.version >= version).length;
  const total = instances.length;
  const counts = { current, total, version };
  summary.textContent =
    total === 0 ? t('settings.instances.none') : t('settings.instances.summary', counts);
  table.hidden = total === 0;
  const hidden = rows.length - MAX_ROWS;
  find('tbody', HTMLElement, table).replaceChildren(
    ...rows.slice(0, MAX_ROWS).map((instance) => instanceRow(instance, version)),
    ...(hidden > 0
      ? [row([['', t('settings.instances.more', { count: formatNumber(hidden) })]])]
      : []),
  );
}

/** Display name of a setting. @param {string} key */
function nameOf(key) {
  if (key === 'enabled') return t('settings.enabled');
  return key === 'token_statistics' ? t('settings.token_statistics') : isolated(key);
}

/** @param {readonly AuditEntry[]} entries newest first */
export function showAudit(entries) {
  const note = find('#audit-note', HTMLElement);
  const table = find('#audit', HTMLTableElement);
  note.hidden = entries.length > 0;
  note.textContent = t('settings.audit.none');
  table.hidden = entries.length === 0;
  find('tbody', HTMLElement, table).replaceChildren(
    ...entries.map((entry) =>
      row([
        [t('settings.audit.version'), String(entry.version)],
        [t('settings.audit.time'), formatTime(entry.time)],
        [t('settings.audit.actor'), nameElement(entry.actor)],
        [t('settings.audit.change'), describeChange(entry)],
        [t('settings.audit.reason'), nameElement(entry.reason ?? '')],
      ]),
    ),
  );
}

/** @param {string} detail */
export function showAuditProblem(detail) {
  const note = find('#audit-note', HTMLElement);
  note.hidden = false;
  note.textContent = t('settings.audit.unavailable', { detail });
}

/** @param {AuditEntry} entry */
export function describeChange({ action, from, to }) {
  if (action !== 'change') return t(`settings.audit.${action}`);
  return formatList(
    Object.keys(to).map((key) =>
      t('settings.audit.fromTo', {
        name: nameOf(key),
        from: valueText(from[key]),
        to: valueText(to[key]),
      }),
    ),
  );
}

/** @param {unknown} value */
function valueText(value) {
  if (typeof value === 'boolean') return t(value ? 'settings.on' : 'settings.off');
  return isolated(String(value));
}

/**
 * @param {Instance} instance
 * @param {number} version
 */
function needOf({ version: own, state, details }, version) {
  const exporter = details?.exporter?.state;
  return (own < version ? 4 : 0) + (state === 'stale' ? 2 : 0) + (exporter === 'failing' ? 1 : 0);
}

/**
 * @param {Instance} instance
 * @param {number} version
 */
function instanceRow(instance, version) {
  const { name, host, pid, state, started_at: startedAt, details } = instance;
  const behind = instance.version < version;
  const uptime = (Date.now() - new Date(startedAt).getTime()) / 1000;
  return row([
    [t('settings.instance'), `${isolated(name)} · ${isolated(host)} · ${pid}`],
    [
      t('settings.instance.version'),
      behind
        ? badge(`${instance.version} · ${t('settings.instance.behind')}`, 'warn')
        : badge(String(instance.version), 'good'),
    ],
    [
      t('settings.instance.state'),
      badge(t(`settings.instance.${state}`), state === 'ready' ? 'good' : 'warn'),
    ],
    [t('settings.instance.uptime'), formatDuration(Math.max(0, uptime))],
    [t('settings.instance.exporter'), exporterCell(details?.exporter)],
  ]);
}

/** @param {import('./settings-live.js').ExporterStatus | undefined} status */
function exporterCell(status) {
  if (!status) return '–';
  const dropped = Object.values(status.dropped ?? {}).reduce((sum, count) => sum + count, 0);
  const parts = [exporterState(status.state)];
  if (status.pending) {
    parts.push(t('settings.exporter.waiting', { count: formatNumber(status.pending) }));
  }
  if (dropped > 0) parts.push(t('settings.exporter.dropped', { count: formatNumber(dropped) }));
  const good = status.state === 'ok' && dropped === 0;
  return badge(parts.join(' · '), good ? 'good' : status.state === 'failing' ? 'bad' : 'warn');
}

/** @param {string} state */
function exporterState(state) {
  switch (state) {
    case 'ok':
    case 'retrying':
    case 'failing':
    case 'closed':
      return t(`settings.exporter.${state}`);
    default:
      return state;
  }
}

/**
 * @param {string} text
 * @param {'good' | 'warn' | 'bad'} tone
 */
function badge(text, tone) {
  return element('span', { class: 'badge', 'data-tone': tone }, text);
}

/** @param {readonly (readonly [label: string, content: Node | string])[]} cells */
function row(cells) {
  return element(
    'tr',
    {},
    ...cells.map(([label, content]) => element('td', { 'data-label': label }, content)),
  );
}
