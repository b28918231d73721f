// @ts-check
import { element, find } from '../dom.js';
import { locale, t } from '../strings.js';
import { timeZone } from './period.js';
import { presets } from './view.js';

const dates = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });

/** Selection of the time range: presets that end now, or two points in time. */
export class RangePicker {
  #buttons;
  #custom;
  #from;
  #to;
  #shown;

  /** @param {HTMLElement} host @param {(range: import('./view.js').View['range']) => void} onChange */
  constructor(host, onChange) {
    const group = find('.presets', HTMLElement, host);
    this.#custom = find('#custom', HTMLButtonElement, host);
    this.#buttons = presets.map((preset) => {
      const button = element(
        'button',
        { type: 'button', 'data-range': preset },
        t(`range.${preset}`),
      );
      button.addEventListener('click', () => onChange(preset));
      return button;
    });
    group.prepend(...this.#buttons);
    this.#shown = find('#shown-range', HTMLElement);
    const form = find('form', HTMLFormElement, host);
    this.#from = find('[name=from]', HTMLInputElement, form);
    this.#to = find('[name=to]', HTMLInputElement, form);
    const check = () => {
      const wrong =
        this.#from.value !== '' && this.#to.value !== '' && this.#to.value <= this.#from.value;
      this.#to.setCustomValidity(wrong ? t('range.wrong') : '');
    };
    this.#from.addEventListener('input', check);
    this.#to.addEventListener('input', check);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      find('#range-form', HTMLElement).hidePopover();
      onChange({
        from: new Date(this.#from.value).toISOString(),
        to: new Date(this.#to.value).toISOString(),
      });
    });
  }

  /** @param {import('./view.js').View['range']} range @param {import('./period.js').Period} period */
  show(range, period) {
    for (const button of this.#buttons) {
      button.setAttribute('aria-pressed', String(button.dataset['range'] === range));
    }
    this.#custom.setAttribute('aria-pressed', String(typeof range !== 'string'));
    this.#from.value = localInput(period.from);
    this.#to.value = localInput(period.to);
    this.#shown.textContent = t('range.shown', {
      range: dates.formatRange(period.from, period.to),
      zone: timeZone,
    });
  }
}

/** What an input for a local date and time takes. @param {Date} time */
function localInput(time) {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
