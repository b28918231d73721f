// @ts-check

/**
 * A time in which less was recorded, and who wanted it so.
 *
 * @typedef {{
 *   from: number,
 *   to: number,
 *   what: 'recording' | 'tokens',
 *   by?: string,
 *   reason?: string,
 *   open: boolean,
 * }} Gap ms; `recording`: no call was recorded at all, `tokens`: calls without token counts;
 *   `open`: it still lasts. Without `by` it was so by configuration, or longer ago than the audit.
 */

/**
 * @param {readonly import('./usage-api.js').AuditEntry[]} entries newest first, changed keys only
 * @param {Readonly<Record<string, unknown>>} current the settings in force
 * @param {{ from: number, to: number }} range ms
 * @returns {readonly Gap[]} those that touch the range, oldest first
 */
export function statisticsGaps(entries, current, range) {
  let state = { ...current };
  for (const { from } of entries) state = { ...state, ...from };
  /** @type {Gap[]} */
  const gaps = [];
  let open = begun(offBy(state), Number.NEGATIVE_INFINITY);
  for (const { time, to, actor, reason } of entries.toReversed()) {
    state = { ...state, ...to };
    const what = offBy(state);
    if (what === open?.what) continue;
    const at = Date.parse(time);
    if (open) gaps.push({ ...open, to: at, open: false });
    open = begun(what, at, actor, reason);
  }
  if (open) gaps.push(open);
  return gaps
    .filter(({ from, to }) => from < range.to && to > range.from)
    .map((gap) => ({ ...gap, to: Math.min(gap.to, range.to) }));
}

/**
 * @param {Gap['what'] | undefined} what
 * @param {number} from
 * @param {string} [by]
 * @param {string} [reason]
 * @returns {Gap | undefined}
 */
function begun(what, from, by, reason) {
  if (what === undefined) return undefined;
  return {
    from,
    to: Number.POSITIVE_INFINITY,
    what,
    open: true,
    ...(by === undefined ? {} : { by }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** @param {Readonly<Record<string, unknown>>} settings @returns {Gap['what'] | undefined} */
function offBy(settings) {
  if (settings['enabled'] === false) return 'recording';
  return settings['token_statistics'] === false ? 'tokens' : undefined;
}
