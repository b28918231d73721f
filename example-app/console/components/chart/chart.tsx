import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Name } from '../../names.tsx';
import { theme } from '../../theme.ts';
import { t } from '../../texts.ts';
import { bucketLabel } from '../../view/bucket-labels.ts';
import { gapText } from '../../view/statistics-gaps.ts';
import { Swatch } from '../controls.tsx';
import { type ChartData, type Shape, bucketOf } from './chart-data.ts';
import { Plot } from './plot.ts';

export interface ChartProps {
  readonly name: string;
  readonly shape: Shape;
  readonly data: ChartData;
  readonly isTall?: boolean;
  /** A range was dragged. */
  readonly onSelect: (from: Date, to: Date) => void;
}

/** A chart over time, whose values can be read by pointer, arrow keys and a table. */
export function Chart({ name, shape, data, isTall = false, onSelect }: ChartProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(null);
  const select = useRef(onSelect);
  select.current = onSelect;
  const [pointed, setPointed] = useState<number>();

  useEffect(() => {
    const made = new Plot(host.current!, {
      shape,
      onPoint: setPointed,
      onSelect: (from, to) => select.current(from, to),
    });
    plot.current = made;
    const resizes = new ResizeObserver(() => made.resize());
    resizes.observe(host.current!);
    return () => {
      resizes.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => plot.current?.show(data), [data]);
  useEffect(() => plot.current?.repaint(), [theme.value]);

  const last = data.period.starts.length - 1;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') return plot.current?.point(undefined);
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: pointed === undefined ? last : Math.max(0, pointed - 1),
      ArrowRight: pointed === undefined ? 0 : Math.min(last, pointed + 1),
      Home: 0,
      End: last,
    };
    const next = moves[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    plot.current?.point(next);
  };
  const bucket =
    pointed !== undefined && pointed <= last ? linesAt(data, shape, pointed) : undefined;
  return (
    <>
      <div
        class={isTall ? 'chart tall-chart' : 'chart'}
        // The ARIA pattern for a value selected with arrow keys.
        role="slider"
        tabIndex={0}
        aria-label={t('chart.label', { name })}
        aria-valuemin={bucket ? 1 : 0}
        aria-valuemax={bucket ? last + 1 : 0}
        aria-valuenow={bucket ? pointed! + 1 : 0}
        aria-valuetext={bucket ? textOf(bucket) : t('chart.keys')}
        onKeyDown={onKeyDown}
        onBlur={() => plot.current?.point(undefined)}
      >
        <div class="plot" ref={host} />
        {bucket && <Tooltip bucket={bucket} plot={plot.current} index={pointed!} />}
      </div>
      <ChartTable name={name} data={data} />
      {data.notes.length > 0 && (
        <ul class="notes">
          {data.notes.map(({ time, text }) => (
            <li key={`${time} ${text}`}>{text}</li>
          ))}
        </ul>
      )}
    </>
  );
}

interface Line {
  readonly name: string;
  readonly value: string;
  readonly colour?: string;
}

interface Bucket {
  readonly label: string;
  readonly lines: readonly Line[];
  readonly notes: readonly string[];
}

function linesAt(data: ChartData, shape: Shape, index: number): Bucket {
  const { period, series, gaps, notes, format } = data;
  const [start, end] = bucketOf(period, index);
  const known = series
    .map(({ name, colour, values }) => ({ name, colour, value: values[index] }))
    .filter(({ value }) => value !== undefined && value !== 0)
    .toReversed();
  const sum = known.reduce((total, { value }) => total + (value ?? 0), 0);
  return {
    label: bucketLabel(start, period.unit),
    lines: [
      ...known.map((line) => ({ ...line, value: format(line.value) })),
      ...(shape === 'bars' && series.length > 1 && known.length > 1
        ? [{ name: t('chart.total'), value: format(sum) }]
        : []),
    ],
    notes: [
      ...gaps.filter((gap) => gap.from < end && gap.to > start).map(gapText),
      ...notes.filter(({ time }) => time >= start && time < end).map(({ text }) => text),
    ],
  };
}

function textOf({ label, lines, notes }: Bucket): string {
  const values = lines.map(({ name, value }) => `${name} ${value}`);
  return [label, ...(values.length > 0 ? values : [t('chart.nothing')]), ...notes].join('; ');
}

/** The values of one bucket beside it, where there is room. */
function Tooltip({
  bucket: { label, lines, notes },
  plot,
  index,
}: {
  readonly bucket: Bucket;
  readonly plot: Plot | null;
  readonly index: number;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const mark = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const place = plot?.place(index);
    if (!place || !box.current || !mark.current) return;
    mark.current.style.left = `${place.left}px`;
    mark.current.style.width = `${Math.max(1, place.width)}px`;
    const { offsetWidth, parentElement } = box.current;
    const right = place.left + place.width + 8;
    const fits = right + offsetWidth <= (parentElement?.clientWidth ?? 0);
    const at = fits ? right : Math.max(0, place.left - offsetWidth - 8);
    box.current.style.transform = `translate(${Math.round(at)}px, 8px)`;
  });
  return (
    <>
      <div class="bucket-mark" ref={mark} />
      <div class="tooltip" aria-hidden="true" ref={box}>
        <strong>{label}</strong>
        {lines.map(({ name, value, colour }) => (
          <div class="tooltip-line" key={name}>
            {colour !== undefined && <Swatch colour={colour} />}
            <span class="name">
              <Name>{name}</Name>
            </span>{' '}
            <span class="value">{value}</span>
          </div>
        ))}
        {lines.length === 0 && <div class="muted">{t('chart.nothing')}</div>}
        {notes.map((note) => (
          <div class="gap-note" key={note}>
            {note}
          </div>
        ))}
      </div>
    </>
  );
}

/** The values of a chart as a table, created when it is opened. */
function ChartTable({
  name,
  data: { period, series, format },
}: {
  readonly name: string;
  readonly data: ChartData;
}): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const buckets = [...period.starts.entries()].filter(([index]) =>
    series.some(({ values }) => values[index]),
  );
  return (
    <details class="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('chart.asTable')}</summary>
      {isOpen && (
        <div class="scroll" tabIndex={0} role="group" aria-label={name}>
          <table>
            <caption class="sr-only">{name}</caption>
            <thead>
              <tr>
                <th scope="col">{t('chart.time')}</th>
                {series.map((one) => (
                  <th scope="col" class="number" key={one.key}>
                    <Name>{one.name}</Name>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {buckets.map(([index, start]) => (
                <tr key={start}>
                  <th scope="row">{bucketLabel(start, period.unit)}</th>
                  {series.map(({ key, values }) => (
                    <td class="number" key={key}>
                      {format(values[index])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

export interface LegendItem {
  readonly key: string;
  readonly name: string;
  readonly colour: string;
  readonly dashed?: boolean;
  readonly value: string;
  /** Explains what a click does. */
  readonly title?: string;
  readonly onPick?: (() => void) | undefined;
}

export function Legend({ items }: { readonly items: readonly LegendItem[] }): JSX.Element {
  return (
    <ul class="legend">
      {items.map(({ key, name, colour, dashed, value, title, onPick }) => {
        const content = (
          <>
            <Swatch colour={colour} dashed={dashed} />
            <span class="name">
              <Name>{name}</Name>
            </span>{' '}
            <span class="value">{value}</span>
          </>
        );
        return (
          <li key={key} class={onPick ? undefined : 'legend-item'}>
            {onPick ? (
              <button type="button" class="legend-item" title={title} onClick={onPick}>
                {content}
              </button>
            ) : (
              content
            )}
          </li>
        );
      })}
    </ul>
  );
}
