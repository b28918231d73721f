import type { ComponentChildren, JSX } from 'preact';
import { usageConnection } from '../api/live.ts';
import { formatClock, formatRange } from '../formats.ts';
import { t } from '../texts.ts';
import { view } from '../view/current-view.ts';
import { periodOf, timeZone } from '../view/period.ts';

/** Title of a page of a range, and whether it is up to date. */
export function PageHead({
  title,
  updatedAt,
}: {
  readonly title: ComponentChildren;
  readonly updatedAt: Date | undefined;
}): JSX.Element {
  const { from, to } = periodOf(view.value.range, new Date());
  const connection = usageConnection.value;
  return (
    <div class="page-head">
      <div>
        <h1>{title}</h1>
        <p class="muted" id="shown-range">
          {t('range.shown', { range: formatRange(from, to), zone: timeZone })}
        </p>
      </div>
      <div class="live-box">
        <span class="live" id="live" role="status" data-state={connection}>
          {connection && t(`live.${connection}`)}
        </span>
        <span class="muted" id="updated">
          {updatedAt && t('live.updated', { time: formatClock(updatedAt) })}
        </span>
      </div>
    </div>
  );
}
