import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { Summary } from '../api/contract.ts';
import type { Answered } from '../api/loader.ts';
import { Panel } from '../components/controls.tsx';
import { locale, t } from '../texts.ts';
import { formatMeasure } from './measures.ts';

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const weekdayName = new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' });
const longWeekdayName = new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' });
const hourName = new Intl.DateTimeFormat(locale, {
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});
const days = weekdays();

interface Cell {
  /** From 0 to 1. */
  readonly level: number;
  readonly label: string;
  readonly isEmpty: boolean;
}

/** Usage by hour of the day and day of the week. Arrow keys move between cells. */
export function HeatMap({
  answer,
}: {
  readonly answer: Answered<Summary> | undefined;
}): JSX.Element {
  const cells = useMemo(() => answer && cellsOf(answer), [answer]);
  const [focus, setFocus] = useState<readonly [day: number, hour: number]>([0, 0]);
  const [read, setRead] = useState<readonly [day: number, hour: number]>();
  const table = useRef<HTMLTableElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const [day, hour] = focus;
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [day, hour - 1],
      ArrowRight: [day, hour + 1],
      ArrowUp: [day - 1, hour],
      ArrowDown: [day + 1, hour],
      Home: [day, 0],
      End: [day, 23],
    };
    const next = moves[event.key];
    if (!next) return;
    event.preventDefault();
    table.current?.tBodies[0]?.rows[next[0]]?.cells[next[1] + 1]?.focus();
  };
  const label = read && cells?.[read[0]]?.[read[1]]?.label;
  return (
    <Panel id="heat" title={t('heat.title')} width="half">
      <table
        class="heat"
        id="heat-table"
        role="grid"
        ref={table}
        aria-labelledby="heat-title"
        aria-describedby="heat-note"
        onKeyDown={onKeyDown}
        onPointerLeave={() => setRead(undefined)}
      >
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col">
              <span class="sr-only">{t('heat.day')}</span>
            </th>
            {HOURS.map((hour) => (
              <th scope="col" data-hour={hour} key={hour}>
                {hour}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {days.map((weekday, day) => (
            <tr role="row" key={weekday}>
              <th scope="row">{weekdayName.format(dateOf(weekday))}</th>
              {HOURS.map((hour) => {
                const cell = cells?.[day]?.[hour];
                return (
                  <td
                    key={hour}
                    role="gridcell"
                    tabIndex={focus[0] === day && focus[1] === hour ? 0 : -1}
                    aria-label={cell?.label}
                    data-none={cell?.isEmpty === false ? undefined : ''}
                    style={{ '--level': `${((cell?.level ?? 0) * 100).toFixed(0)}%` }}
                    onPointerOver={() => setRead([day, hour])}
                    onFocus={() => {
                      setFocus([day, hour]);
                      setRead([day, hour]);
                    }}
                    onBlur={() => setRead(undefined)}
                  />
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <div class="heat-foot">
        <p class="muted" id="heat-note">
          {label ?? t('heat.hint')}
        </p>
        <p class="heat-scale muted" aria-hidden="true">
          {t('heat.less')} <i />
          <i />
          <i />
          <i />
          <i /> {t('heat.more')}
        </p>
      </div>
    </Panel>
  );
}

function cellsOf({
  value: { rows },
  view: { measure },
}: Answered<Summary>): readonly (readonly Cell[])[] {
  const sums = days.map(() =>
    HOURS.map(() => ({ cost_usd: 0, calls: 0, total_tokens: 0, partial_cost_calls: 0 })),
  );
  for (const row of rows) {
    const [date = '', clock = ''] = (row.hour ?? '').split('T');
    const sum = sums[days.indexOf(new Date(date).getUTCDay())]?.[Number(clock.slice(0, 2))];
    if (!sum) continue;
    sum[measure] += row[measure] ?? 0;
    sum.partial_cost_calls += row.partial_cost_calls;
  }
  const most = Math.max(...sums.flat().map((sum) => sum[measure]));
  return sums.map((hours, day) =>
    hours.map((sum, hour) => {
      const start = new Date(dateOf(days[day] ?? 0) + hour * 3_600_000);
      return {
        // Square root, so that small values differ visibly.
        level: most === 0 ? 0 : Math.sqrt(sum[measure] / most),
        isEmpty: sum[measure] === 0,
        label: t('heat.cell', {
          day: longWeekdayName.format(start),
          hours: `${hourName.format(start)}–${hourName.format(start.getTime() + 3_600_000)}`,
          value: t(`measured.${measure}`, { value: formatMeasure(sum, measure) }),
        }),
      };
    }),
  );
}

/** Days of the week, Sunday is 0, in the order of the locale. */
function weekdays(): readonly number[] {
  const calendar = new Intl.Locale(locale) as { getWeekInfo?: () => { firstDay: number } };
  const first = calendar.getWeekInfo?.().firstDay ?? 1;
  return Array.from({ length: 7 }, (_, index) => (first + index) % 7);
}

/** Some such day, ms. */
function dateOf(day: number): number {
  return Date.UTC(2023, 0, 1 + day);
}
