import type { JSX } from 'preact';

const [WIDTH, HEIGHT] = [100, 28];

/** A value over time without axes, as decoration of the figure beside it. */
export function Sparkline({
  values,
}: {
  readonly values: readonly (number | undefined)[];
}): JSX.Element {
  const max = Math.max(...values.map((value) => value ?? 0));
  const points =
    values.length < 2 || max === 0
      ? ''
      : values
          .map((value, index) => {
            const x = (index / (values.length - 1)) * WIDTH;
            const y = HEIGHT - 1.5 - ((value ?? 0) / max) * (HEIGHT - 3);
            return `${x.toFixed(1)},${y.toFixed(1)}`;
          })
          .join(' ');
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {points !== '' && [
        <polygon key="area" class="area" points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} />,
        <polyline key="line" class="line" points={points} />,
      ]}
    </svg>
  );
}
