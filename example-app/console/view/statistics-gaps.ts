import type { AuditEntry } from '../api/contract.ts';
import { formatTime } from '../formats.ts';
import { t } from '../texts.ts';

/** A period in which less was recorded, and who changed the setting. */
export interface Gap {
  /** ms */
  readonly from: number;
  /** ms */
  readonly to: number;
  /** `recording`: no call was recorded at all, `tokens`: calls without token counts. */
  readonly what: 'recording' | 'tokens';
  /** Absent: by configuration, or older than the audit log. */
  readonly by?: string;
  readonly reason?: string;
  /** Not over. */
  readonly open: boolean;
}

/** Gaps that touch the range, oldest first. Entries are newest first, with changed keys only. */
export function statisticsGaps(
  entries: readonly Pick<AuditEntry, 'time' | 'actor' | 'reason' | 'from' | 'to'>[],
  /** The settings in force. */
  current: Readonly<Record<string, unknown>>,
  /** ms */
  range: { readonly from: number; readonly to: number },
): readonly Gap[] {
  let state = { ...current };
  for (const { from } of entries) state = { ...state, ...from };
  /** Who switched it off, by key. */
  const blames = new Map<string, Pick<Gap, 'by' | 'reason'>>();
  const gaps: Gap[] = [];
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

/** Nothing when everything is recorded. */
function begun(
  settings: Readonly<Record<string, unknown>>,
  from: number,
  blames: ReadonlyMap<string, Pick<Gap, 'by' | 'reason'>>,
): Gap | undefined {
  const key = ['enabled', 'token_statistics'].find((one) => settings[one] === false);
  if (key === undefined) return undefined;
  const what = key === 'enabled' ? 'recording' : 'tokens';
  return { from, to: Number.POSITIVE_INFINITY, what, open: true, ...blames.get(key) };
}

/** "Recording off since 3 Nov 10:02 by alice: maintenance". */
export function gapText({ from, to, what, by, reason, open }: Gap): string {
  const isOld = from === Number.NEGATIVE_INFINITY;
  const when = open
    ? isOld
      ? t('gap.always')
      : t('gap.since', { from: formatTime(from) })
    : isOld
      ? t('gap.until', { to: formatTime(to) })
      : t('gap.between', { from: formatTime(from), to: formatTime(to) });
  const who = by === undefined ? t('gap.byConfiguration') : t('gap.by', { name: by });
  const why = reason === undefined ? '' : t('gap.reason', { reason });
  return t(`gap.${what}`, { when, who }) + why;
}
