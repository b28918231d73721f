// @ts-check
import { element } from '../dom.js';

/** Number of series with a separate colour; `(other)` is grey. */
export const SLOTS = 6;
const OTHER = 'other';

/** Assigns palette slots to series. A series keeps its slot while it is shown. */
export class ColourSlots {
  /** @type {Map<string, number>} */
  #slots = new Map();

  /** @param {readonly string[]} keys at most as many as there are slots */
  assign(keys) {
    const kept = keys.filter((key) => this.#slots.has(key));
    const slots = new Map(kept.map((key) => [key, /** @type {number} */ (this.#slots.get(key))]));
    const free = Array.from({ length: SLOTS }, (_, index) => index + 1).filter(
      (slot) => ![...slots.values()].includes(slot),
    );
    for (const key of keys) if (!slots.has(key)) slots.set(key, free.shift() ?? SLOTS);
    this.#slots = slots;
  }

  /** @param {string} key @returns {string} the name of a custom property */
  of(key) {
    return `--series-${this.#slots.get(key) ?? OTHER}`;
  }
}

/**
 * Resolves a custom property to a colour that a canvas accepts.
 *
 * @param {HTMLElement} host
 * @param {string} property
 */
export function canvasColour(host, property) {
  const probe = document.createElement('i');
  probe.style.color = `var(${property})`;
  host.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/**
 * Colour mark of a series.
 *
 * @param {string} colour name of a custom property
 * @param {boolean} [dashed]
 */
export function swatch(colour, dashed = false) {
  const mark = element('span', { class: 'swatch', 'aria-hidden': 'true', 'data-dashed': dashed });
  mark.style.background = `var(${colour})`;
  return mark;
}
