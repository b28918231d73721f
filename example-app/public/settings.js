// @ts-check
import { ApiError, callApi, goToSignIn } from './api.js';
import { element, find, isolated, showBanner } from './dom.js';
import { identity } from './layout.js';
import {
  allowChanges,
  changeSettings,
  explain,
  showSettings,
  showOutcome,
} from './settings-form.js';
import { followSettings } from './settings-live.js';
import { describeChange, showAudit, showAuditProblem, showInstances } from './settings-tables.js';
import { formatAgo, formatTime, t } from './strings.js';

/** @typedef {import('./settings-live.js').Current} Current */
/** @typedef {import('./settings-live.js').InstanceList} InstanceList */
/** @typedef {import('./settings-tables.js').AuditEntry} AuditEntry */

const PAGE_SIZE = 20;

/** @type {Current | undefined} */
let current;
/** @type {InstanceList | undefined} */
let instances;
/** Newest first. @type {readonly AuditEntry[]} */
let audit = [];
let shownEntries = PAGE_SIZE;
let isAdmin = false;
/** Timer after the server has asked to wait. @type {ReturnType<typeof setTimeout> | undefined} */
let auditAgain;

const undo = find('#undo', HTMLButtonElement);
const more = find('#audit-more', HTMLButtonElement);

function showVersion() {
  if (!current) return;
  const { version } = current;
  const entry = audit.find((each) => each.version === version);
  const actor = current.updated_by ?? entry?.actor;
  const time = current.updated_at ?? entry?.time;
  find('#version', HTMLElement).textContent =
    actor === undefined || time === undefined
      ? version === 0
        ? t('settings.version.none')
        : `${t('settings.audit.version')} ${version}`
      : t('settings.version', { version, actor: isolated(actor), ago: formatAgo(time) });
}

/** Undoing is offered only for the current version, so that it never reverts a later change. */
function undoable() {
  const [newest] = audit;
  return newest?.action === 'change' && newest.version === current?.version ? newest : undefined;
}

function showLastChange() {
  const entry = undoable();
  find('#last-change', HTMLElement).hidden = entry === undefined || !isAdmin;
  if (!entry) return;
  const parts = [describeChange(entry), isolated(entry.actor), formatTime(entry.time)];
  find('#last-change-text', HTMLElement).textContent = parts.join(' · ');
}

async function loadAudit() {
  try {
    const answer = await callApi(`/api/settings/metrics/audit?limit=${shownEntries + 1}`);
    const { entries } = await answer.json();
    more.hidden = entries.length <= shownEntries;
    audit = entries;
    showAudit(audit.slice(0, shownEntries));
  } catch (error) {
    showAuditProblem(error instanceof Error ? error.message : String(error));
    if (error instanceof ApiError && error.status === 429) {
      clearTimeout(auditAgain);
      auditAgain = setTimeout(() => void loadAudit(), error.waitMs);
    }
  }
  showVersion();
  showLastChange();
}

/** @param {Current} next */
function onSettings(next) {
  const isNews = current?.version !== next.version;
  current = isNews ? next : { ...current, ...next };
  showSettings(current);
  showVersion();
  showLastChange();
  if (instances) showInstances(instances, current.version);
  if (isNews) void loadAudit();
}

async function undoLastChange() {
  const entry = undoable();
  if (!entry) return;
  undo.disabled = true;
  showOutcome({});
  try {
    const why = t('settings.undo.reason', { version: entry.version });
    const next = await changeSettings(entry.undo, why);
    onSettings(next);
    showOutcome({ good: t('settings.undo.done', { version: next.version }) });
  } catch (error) {
    showOutcome({ bad: explain(error) });
  } finally {
    undo.disabled = false;
  }
}

undo.addEventListener('click', () => void undoLastChange());
more.addEventListener('click', () => {
  shownEntries *= 5;
  void loadAudit();
});
// Updates "3 min ago" and uptimes.
setInterval(() => {
  showVersion();
  if (instances && current) showInstances(instances, current.version);
}, 10_000);

const { name, role } = await identity;
if (name === null) {
  goToSignIn();
} else {
  isAdmin = role === 'admin';
  if (isAdmin) allowChanges(onSettings);
  find('#viewer', HTMLElement).hidden = isAdmin;
  const connection = find('#connection', HTMLElement);
  followSettings({
    onSettings,
    onStatus({ state, stale_since: since }) {
      const stale = state === 'stale' && since !== undefined;
      const text = stale ? t('settings.stale', { time: formatTime(since) }) : undefined;
      showBanner(find('#stale', HTMLElement), text);
    },
    onInstances(list) {
      instances = list;
      showInstances(list, current?.version ?? list.version);
    },
    onConnection(state, why) {
      connection.textContent = why ?? t(`settings.${state}`);
      connection.dataset['tone'] = state === 'live' ? 'good' : 'warn';
    },
    onSignedOut() {
      const banner = find('#signed-out', HTMLElement);
      showBanner(banner, t('error.signedOut'));
      const again = element('button', { type: 'button' }, t('settings.signInAgain'));
      again.addEventListener('click', goToSignIn);
      banner.append(' ', again);
    },
  });
}
