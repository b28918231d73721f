// @ts-check

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [100, 28];

/**
 * Draws a value over time without axes, as decoration of the figure beside it.
 *
 * @param {SVGElement} svg
 * @param {readonly (number | undefined)[]} values
 */
export function showSparkline(svg, values) {
  const max = Math.max(...values.map((value) => value ?? 0));
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  if (values.length < 2 || max === 0) return svg.replaceChildren();
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * WIDTH;
    const y = HEIGHT - 1.5 - ((value ?? 0) / max) * (HEIGHT - 3);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  svg.replaceChildren(
    shape('polygon', 'area', `0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`),
    shape('polyline', 'line', points.join(' ')),
  );
}

/** @param {'polygon' | 'polyline'} tag @param {string} name @param {string} points */
function shape(tag, name, points) {
  const made = document.createElementNS(SVG, tag);
  made.setAttribute('class', name);
  made.setAttribute('points', points);
  return made;
}
