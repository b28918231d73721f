// @ts-check

/**
 * A period in which less was recorded, and who changed the setting.
 *
 * @typedef {{
 *   from: number,
 *   to: number,
 *   what: 'recording' | 'tokens',
 *   by?: string,
 *   reason?: string,
 *   open: boolean,
 * }} Gap ms; `recording`: no call was recorded at all, `tokens`: calls without token counts;
 *   `open`: not over. Without `by`: by configuration, or older than the audit log.
 */

/** @typedef {{ by?: string, reason?: string }} Blame */

/**
 * @param {readonly import('./usage-api.js').AuditEntry[]} entries newest first, changed keys only
 * @param {Readonly<Record<string, unknown>>} current the settings in force
 * @param {{ from: number, to: number }} range ms
 * @returns {readonly Gap[]} those that touch the range, oldest first
 */
export function statisticsGaps(entries, current, range) {
  let state = { ...current };
  for (const { from } of entries) state = { ...state, ...from };
  /** Who switched it off, by key. @type {Map<string, Blame>} */
  const blames = new Map();
  /** @type {Gap[]} */
  const gaps = [];
  let open = begun(state, Number.NEGATIVE_INFINITY, blames);
  for (const { time, to, actor, reason } of entries.toReversed()) {
    state = { ...state, ...to };
    for (const [key, value] of Object.entries(to)) {
      if (value === false) blames.set(key, { by: actor, ...(reason && { reason }) });
    }
    const at = Date.parse(time);
    const next = begun(state, at, blames);
    if (next?.what === open?.what) continue;
    if (open) gaps.push({ ...open, to: at, open: false });
    open = next;
  }
  if (open) gaps.push(open);
  return gaps
    .filter(({ from, to }) => from < range.to && to > range.from)
    .map((gap) => ({ ...gap, to: Math.min(gap.to, range.to) }));
}

/**
 * @param {Readonly<Record<string, unknown>>} settings
 * @param {number} from
 * @param {ReadonlyMap<string, Blame>} blames
 * @returns {Gap | undefined} nothing when everything is recorded
 */
function begun(settings, from, blames) {
  const key = ['enabled', 'token_statistics'].find((one) => settings[one] === false);
  if (key === undefined) return undefined;
  const what = key === 'enabled' ? 'recording' : 'tokens';
  return { from, to: Number.POSITIVE_INFINITY, what, open: true, ...blames.get(key) };
}
