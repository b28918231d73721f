// @ts-check
import { element, find, isolated, nameElement } from '../dom.js';
import { t } from '../strings.js';
import { KeyedList } from './keyed-list.js';
import { nameOf } from './names.js';
import { dimensions, withFilter } from './view.js';

/**
 * @typedef {import('./view.js').View} View
 * @typedef {import('./view.js').Dimension} Dimension
 */

/** The active filters, each with a button to remove it, and a form to add one. */
export class FilterBar {
  #chips;
  #host;
  #row;
  /** @type {View | undefined} */
  #view;
  /** Suggested values, collected from responses. @type {Map<Dimension, Set<string>>} */
  #known = new Map([['outcome', new Set(['ok', 'error', 'aborted'])]]);

  /** @param {HTMLElement} host @param {(view: View) => void} go */
  constructor(host, go) {
    this.#host = host;
    this.#row = find('#filters', HTMLElement, host);
    this.#chips = new KeyedList(
      find('.chips', HTMLElement, host),
      () => {
        const chip = element('button', { type: 'button', class: 'chip' });
        chip.addEventListener('click', () => {
          const dimension = /** @type {Dimension} */ (chip.dataset['dimension']);
          if (!this.#view) return;
          const values = this.#view.filters[dimension] ?? [];
          const rest = values.filter((value) => value !== chip.dataset['value']);
          go(withFilter(this.#view, dimension, rest));
        });
        return element('li', {}, chip);
      },
      (item, /** @type {readonly [Dimension, string]} */ [dimension, value]) => {
        const chip = find('button', HTMLButtonElement, item);
        const name = nameOf(dimension, value);
        chip.dataset['dimension'] = dimension;
        chip.dataset['value'] = value;
        chip.title = t('filter.remove', { name: isolated(name) });
        chip.replaceChildren(
          element('span', { class: 'muted' }, t(`dimension.${dimension}`)),
          ' ',
          element('span', { class: 'name' }, nameElement(name)),
          element('span', { 'aria-hidden': 'true' }, ' ×'),
          element('span', { class: 'sr-only' }, ` ${t('filter.removeShort')}`),
        );
      },
    );
    find('#clear-filters', HTMLButtonElement, host).addEventListener('click', () => {
      if (this.#view) go({ ...this.#view, filters: {} });
    });
    this.#prepareForm(go);
  }

  /** @param {View} view */
  show(view) {
    this.#view = view;
    const chips = dimensions.flatMap((dimension) =>
      (view.filters[dimension] ?? []).map((value) => /** @type {const} */ ([dimension, value])),
    );
    this.#chips.show(
      chips.map(([dimension, value]) => [`${dimension} ${value}`, [dimension, value]]),
    );
    this.#row.hidden = chips.length === 0;
  }

  /** @param {Dimension} dimension @param {readonly (string | null | undefined)[]} values */
  suggest(dimension, values) {
    const known = this.#known.get(dimension) ?? new Set();
    for (const value of values) if (value) known.add(value);
    this.#known.set(dimension, known);
  }

  /** @param {(view: View) => void} go */
  #prepareForm(go) {
    const form = find('#filter-form form', HTMLFormElement, this.#host);
    const dimension = find('select', HTMLSelectElement, form);
    const value = find('input', HTMLInputElement, form);
    const suggestions = find('datalist', HTMLDataListElement, form);
    const chosen = () => /** @type {Dimension} */ (dimension.value);
    for (const name of dimensions) {
      dimension.append(element('option', { value: name }, t(`dimension.${name}`)));
    }
    const suggest = () => {
      const known = [...(this.#known.get(chosen()) ?? [])].slice(0, 100);
      suggestions.replaceChildren(...known.map((one) => element('option', { value: one })));
    };
    dimension.addEventListener('change', suggest);
    find('#filter-form', HTMLElement).addEventListener('beforetoggle', suggest);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#view) return;
      const present = this.#view.filters[chosen()] ?? [];
      find('#filter-form', HTMLElement).hidePopover();
      go(withFilter(this.#view, chosen(), [...new Set([...present, value.value])]));
      value.value = '';
    });
  }
}
