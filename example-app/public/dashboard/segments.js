// @ts-check
import { element } from '../dom.js';

/**
 * A single choice as a row of buttons.
 *
 * @template {string} T
 */
export class Segments {
  #buttons;

  /**
   * @param {HTMLElement} host
   * @param {readonly (readonly [value: T, text: string])[]} choices
   * @param {(value: T) => void} onChoose
   */
  constructor(host, choices, onChoose) {
    this.#buttons = choices.map(([value, text]) => {
      const button = element('button', { type: 'button', 'data-value': value }, text);
      button.addEventListener('click', () => onChoose(value));
      return button;
    });
    host.append(...this.#buttons);
  }

  /** @param {T} chosen */
  show(chosen) {
    for (const button of this.#buttons) {
      button.setAttribute('aria-pressed', String(button.dataset['value'] === chosen));
    }
  }
}
