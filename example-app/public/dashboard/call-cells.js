// @ts-check
import { element, isolated, nameElement } from '../dom.js';
import { formatCallCost, formatMs, formatWhole } from '../formats.js';
import { formatTime, t } from '../strings.js';
import { nameOf } from './names.js';

/** @typedef {import('./usage-api.js').UsageRecord} UsageRecord */
/** @typedef {(dimension: import('./view.js').Dimension, value: string) => void} Pick */

/** Table cells of one call. */

/** @param {UsageRecord} call */
export function timeCell(call) {
  return cell(t('calls.time'), element('time', { datetime: call.time }, formatTime(call.time)));
}

/**
 * A value that can be filtered by.
 *
 * @param {'user' | 'model' | 'conversation'} dimension
 * @param {UsageRecord} call
 * @param {Pick} onPick
 */
export function pickCell(dimension, call, onPick) {
  const value = {
    user: call.user_id,
    model: call.request_model,
    conversation: call.conversation_id,
  }[dimension];
  const name = nameOf(dimension, value);
  const button = element(
    'button',
    {
      type: 'button',
      class: value === undefined ? 'link muted' : 'link',
      title: t('usage.filterBy', { name: isolated(name) }),
    },
    nameElement(name),
  );
  button.addEventListener('click', () => onPick(dimension, value ?? ''));
  return cell(t(`dimension.${dimension}`), button);
}

/** "1,234 → 56", with a mark when it is an estimate. @param {UsageRecord} call */
export function tokensCell(call) {
  const { input_tokens: input, output_tokens: output, token_source: source } = call;
  if (input === undefined && output === undefined) return numberCell(t('calls.tokens'), '–');
  const about = source === 'estimated' ? '≈ ' : '';
  const shown = numberCell(
    t('calls.tokens'),
    `${about}${formatWhole(input)} → ${formatWhole(output)}`,
  );
  if (source !== undefined) shown.title = t(`source.${source}`);
  return shown;
}

/** @param {UsageRecord} call */
export function costCell(call) {
  const { cost_source: source, cost_missing: missing } = call;
  const shown = numberCell(t('calls.cost'), formatCallCost(call));
  const notes = [
    ...(source === undefined ? [] : [t(`costSource.${source}`)]),
    ...(missing === undefined ? [] : [t('cost.without', { parts: missing.join(', ') })]),
  ];
  if (notes.length > 0) shown.title = notes.join('; ');
  return shown;
}

/** @param {UsageRecord} call */
export function durationCell(call) {
  const shown = numberCell(t('calls.duration'), formatMs(call.duration_ms));
  const first = call.time_to_first_chunk_ms;
  if (first !== undefined) shown.title = t('calls.firstChunk', { time: formatMs(first) });
  return shown;
}

/** @param {UsageRecord} call */
export function outcomeCell(call) {
  const { outcome, error_type: type } = call;
  const tone = { ok: undefined, error: 'bad', aborted: 'warn' }[outcome];
  const badge = element('span', { class: 'badge', 'data-tone': tone }, t(`outcome.${outcome}`));
  return cell(
    t('calls.outcome'),
    badge,
    ...(type === undefined ? [] : [' ', element('code', {}, nameElement(type))]),
  );
}

/** @param {string} label @param {...(Node | string)} content */
function cell(label, ...content) {
  return element('td', { 'data-label': label }, element('span', {}, ...content));
}

/** @param {string} label @param {string} text */
function numberCell(label, text) {
  return element('td', { class: 'number', 'data-label': label }, text);
}
