// @ts-check
import { element, nameElement } from '../dom.js';
import { t } from '../strings.js';
import { swatch } from './colours.js';
import { gapText } from './gap-texts.js';

/**
 * @typedef {{
 *   plot: import('../uplot.js').default,
 *   left: number,
 *   width: number,
 *   label: string,
 *   total: boolean,
 *   gaps: readonly import('./statistics-gaps.js').Gap[],
 *   rows: readonly { name: string, colour: string, value: number | undefined }[],
 *   format: (value: number | undefined) => string,
 *   position: readonly [index: number, length: number],
 * }} Bucket Values of one bucket and its position in px of the plotting area.
 */

/** Shows the values of one bucket, as a tooltip and as the value that screen readers announce. */
export class ChartTooltip {
  #host;
  #box = element('div', { class: 'tooltip', 'aria-hidden': 'true', hidden: true });
  #mark = element('div', { class: 'bucket-mark', hidden: true });

  /** @param {HTMLElement} host @param {string} name */
  constructor(host, name) {
    this.#host = host;
    // The ARIA pattern for a value selected with arrow keys.
    host.setAttribute('role', 'slider');
    host.setAttribute('tabindex', '0');
    host.setAttribute('aria-label', t('chart.label', { name }));
    this.#say(0, 0, t('chart.keys'));
    host.append(this.#box);
  }

  /** @param {Bucket | undefined} bucket */
  show(bucket) {
    this.#box.hidden = this.#mark.hidden = bucket === undefined;
    if (!bucket) return;
    const { plot, rows, format, label, gaps, position } = bucket;
    const known = rows.filter(({ value }) => value !== undefined && value !== 0).toReversed();
    const sum = known.reduce((total, { value }) => total + (value ?? 0), 0);
    const lines = known.map(({ name, colour, value }) => line(format(value), name, swatch(colour)));
    if (bucket.total && known.length > 1) lines.push(line(format(sum), t('chart.total')));
    if (known.length === 0) lines.push(element('div', { class: 'muted' }, t('chart.nothing')));
    for (const gap of gaps) lines.push(element('div', { class: 'gap-note' }, gapText(gap)));
    this.#box.replaceChildren(element('strong', {}, label), ...lines);
    this.#say(
      position[0] + 1,
      position[1],
      [label, ...lines.map((node) => node.textContent ?? '')].join('; '),
    );
    if (this.#mark.parentElement !== plot.over) plot.over.prepend(this.#mark);
    this.#mark.style.left = `${bucket.left}px`;
    this.#mark.style.width = `${Math.max(1, bucket.width)}px`;
    this.#place(plot.over.offsetLeft + bucket.left, bucket.width);
  }

  /** Places the tooltip beside the bucket, where there is room. @param {number} left @param {number} width */
  #place(left, width) {
    const right = left + width + 8;
    const fits = right + this.#box.offsetWidth <= this.#host.clientWidth;
    const at = fits ? right : Math.max(0, left - this.#box.offsetWidth - 8);
    this.#box.style.transform = `translate(${Math.round(at)}px, 8px)`;
  }

  /** @param {number} now @param {number} max @param {string} text */
  #say(now, max, text) {
    this.#host.setAttribute('aria-valuemin', max === 0 ? '0' : '1');
    this.#host.setAttribute('aria-valuemax', String(max));
    this.#host.setAttribute('aria-valuenow', String(now));
    this.#host.setAttribute('aria-valuetext', text);
  }
}

/** @param {string} value @param {string} name @param {...Node} before */
function line(value, name, ...before) {
  return element(
    'div',
    { class: 'tooltip-line' },
    ...before,
    element('span', { class: 'name' }, nameElement(name)),
    ' ',
    element('span', { class: 'value' }, value),
  );
}
