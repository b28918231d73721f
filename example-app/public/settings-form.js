// @ts-check
import { ApiError, callApi } from './api.js';
import { find, isolated, showBanner } from './dom.js';
import { t } from './strings.js';

/** @typedef {import('./settings-live.js').Settings} Settings */
/** @typedef {import('./settings-live.js').Current} Current */

/** @type {readonly (keyof Settings)[]} */
export const KEYS = ['enabled', 'token_statistics'];

const form = find('#switches', HTMLFormElement);
const save = find('#save', HTMLButtonElement);
const discard = find('#discard', HTMLButtonElement);
const reason = find('#reason', HTMLInputElement);
const unsaved = find('#unsaved', HTMLElement);
const problem = find('#problem', HTMLElement);
const done = find('#done', HTMLElement);
const then = find('#then', HTMLElement);

/** State of the server; user input is in the form. @type {Current | undefined} */
let current;
let mayChange = false;
let saving = false;

/** @type {(next: Current) => void} */
let onChanged = () => {};

/**
 * Lets the user change the switches.
 *
 * @param {(next: Current) => void} callback called with the settings after a change
 */
export function allowChanges(callback) {
  onChanged = callback;
  mayChange = true;
  find('#editing', HTMLElement).hidden = false;
  update();
}

/**
 * Shows the current settings, unless the user has unsaved changes.
 *
 * @param {Current} next
 */
export function showSettings(next) {
  const before = current;
  const edited = changedKeys().length > 0;
  current = next;
  if (!edited) fill();
  else if (changedKeys().length === 0) showBanner(problem);
  else if (before && next.version !== before.version && !saving) showConflict(next);
  update();
}

/**
 * Sends a merge patch based on the displayed version.
 *
 * @param {Partial<Record<keyof Settings, boolean | null>>} patch
 * @param {string} why
 * @returns {Promise<Current>}
 */
export async function changeSettings(patch, why) {
  const query = why === '' ? '' : `?reason=${encodeURIComponent(why)}`;
  const answer = await callApi(`/api/settings/metrics${query}`, {
    method: 'PATCH',
    body: patch,
    headers: { 'if-match': `"${current?.version ?? 0}"` },
  });
  return {
    version: Number(answer.headers.get('settings-version')),
    settings: await answer.json(),
  };
}

/**
 * Shows the outcome of a change.
 *
 * @param {{ good?: string, bad?: string }} outcome
 */
export function showOutcome({ good, bad }) {
  showBanner(done, good);
  showBanner(problem, bad);
}

/** @param {unknown} error */
export function explain(error) {
  if (error instanceof ApiError && error.status === 503) return t('settings.storeDown');
  return error instanceof Error ? error.message : String(error);
}

function changedKeys() {
  return KEYS.filter((key) => current && switchOf(key).checked !== current.settings[key]);
}

/** @param {keyof Settings} key */
function switchOf(key) {
  return find(`#${key}`, HTMLInputElement);
}

function fill() {
  for (const key of KEYS) switchOf(key).checked = current?.settings[key] ?? false;
}

function update() {
  for (const key of KEYS) {
    const input = switchOf(key);
    input.disabled = !mayChange || current === undefined || saving;
    const state = input.closest('.switch-row')?.querySelector('.state');
    // Unknown is not off.
    if (state && current) state.textContent = t(input.checked ? 'settings.on' : 'settings.off');
  }
  const changed = changedKeys().length > 0;
  save.disabled = !changed || saving;
  discard.disabled = !changed || saving;
  save.textContent = t(saving ? 'settings.saving' : 'settings.save');
  unsaved.hidden = !changed;
  if (!current) return;
  then.textContent = !switchOf('enabled').checked
    ? t('settings.then.nothing')
    : t(switchOf('token_statistics').checked ? 'settings.then.everything' : 'settings.then.basic');
}

/** @param {Current} next */
function showConflict({ version, updated_by: actor = '?' }) {
  showOutcome({ bad: t('settings.conflict', { actor: isolated(actor), version }) });
}

async function submit() {
  const patch = Object.fromEntries(changedKeys().map((key) => [key, switchOf(key).checked]));
  saving = true;
  showOutcome({});
  update();
  try {
    const next = await changeSettings(patch, reason.value.trim());
    reason.value = '';
    onChanged(next);
    showOutcome({ good: t('settings.saved', { version: next.version }) });
  } catch (error) {
    if (error instanceof ApiError && error.status === 412) {
      const { version, current: settings } = /** @type {any} */ (error.problem);
      // The event stream names the author a moment later.
      current = { version, settings };
      showConflict(current);
    } else {
      showOutcome({ bad: explain(error) });
    }
  } finally {
    saving = false;
    update();
  }
}

form.addEventListener('change', () => {
  showBanner(done);
  update();
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (changedKeys().length > 0 && !saving) void submit();
});
form.addEventListener('reset', (event) => {
  event.preventDefault();
  reason.value = '';
  fill();
  showOutcome({});
  update();
});
