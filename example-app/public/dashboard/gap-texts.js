// @ts-check
import { formatTime, t } from '../strings.js';

/** "Recording off since 3 Nov 10:02 by alice: maintenance". @param {import('./statistics-gaps.js').Gap} gap */
export function gapText({ from, to, what, by, reason, open }) {
  const when = open
    ? from === Number.NEGATIVE_INFINITY
      ? t('gap.always')
      : t('gap.since', { from: formatTime(from) })
    : from === Number.NEGATIVE_INFINITY
      ? t('gap.until', { to: formatTime(to) })
      : t('gap.between', { from: formatTime(from), to: formatTime(to) });
  const who = by === undefined ? t('gap.byConfiguration') : t('gap.by', { name: by });
  const why = reason === undefined ? '' : t('gap.reason', { reason });
  return t(`gap.${what}`, { when, who }) + why;
}
