// @ts-check
import { element } from '../dom.js';
import { locale, t } from '../strings.js';
import { formatCost } from '../formats.js';
import { measureFormats } from './names.js';

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const weekdayName = new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' });
const longWeekdayName = new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' });
const hourName = new Intl.DateTimeFormat(locale, {
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** Usage by hour of the day and day of the week. Arrow keys move between cells. */
export class HeatMap {
  /** @type {HTMLTableCellElement[][]} */
  #cells;
  #note;
  #days = weekdays();

  /** @param {HTMLElement} table @param {HTMLElement} note describes the cell under the pointer */
  constructor(table, note) {
    this.#note = note;
    this.#cells = this.#days.map(() =>
      HOURS.map(() => element('td', { tabindex: '-1', role: 'gridcell' })),
    );
    const head = element(
      'tr',
      { role: 'row' },
      element('th', { scope: 'col' }, element('span', { class: 'sr-only' }, t('heat.day'))),
    );
    for (const hour of HOURS) {
      head.append(element('th', { scope: 'col', 'data-hour': hour }, String(hour)));
    }
    table.setAttribute('role', 'grid');
    table.append(
      element('thead', { role: 'rowgroup' }, head),
      element(
        'tbody',
        { role: 'rowgroup' },
        ...this.#days.map((day, row) =>
          element(
            'tr',
            { role: 'row' },
            element('th', { scope: 'row' }, weekdayName.format(dateOf(day))),
            ...(this.#cells[row] ?? []),
          ),
        ),
      ),
    );
    this.#cells[0]?.[0]?.setAttribute('tabindex', '0');
    table.addEventListener('pointerover', (event) => this.#describe(event.target));
    table.addEventListener('pointerleave', () => this.#describe(document.activeElement));
    table.addEventListener('focusin', (event) => this.#describe(event.target));
    table.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /**
   * @param {import('./usage-api.js').Summary} hourly
   * @param {import('./view.js').Context} context
   */
  show({ rows }, { view }) {
    const sums = this.#days.map(() => HOURS.map(() => 0));
    const partial = this.#days.map(() => HOURS.map(() => 0));
    for (const row of rows) {
      const [date = '', clock = ''] = (row.hour ?? '').split('T');
      const day = this.#days.indexOf(new Date(date).getUTCDay());
      const hours = sums[day];
      const hour = Number(clock.slice(0, 2));
      if (hours) hours[hour] = (hours[hour] ?? 0) + (row[view.measure] ?? 0);
      const calls = partial[day];
      if (calls) calls[hour] = (calls[hour] ?? 0) + row.partial_cost_calls;
    }
    const most = Math.max(...sums.flat());
    const format = (/** @type {number} */ sum, /** @type {number} */ calls) =>
      view.measure === 'cost_usd'
        ? formatCost({ cost_usd: sum, partial_cost_calls: calls })
        : measureFormats[view.measure](sum);
    for (const [row, cells] of this.#cells.entries()) {
      for (const [hour, cell] of cells.entries()) {
        const sum = sums[row]?.[hour] ?? 0;
        // Square root, so that small values differ visibly.
        const level = most === 0 ? 0 : Math.sqrt(sum / most);
        cell.style.setProperty('--level', `${(level * 100).toFixed(0)}%`);
        cell.toggleAttribute('data-none', sum === 0);
        const start = new Date(dateOf(this.#days[row] ?? 0) + hour * 3_600_000);
        cell.setAttribute(
          'aria-label',
          t('heat.cell', {
            day: longWeekdayName.format(start),
            hours: `${hourName.format(start)}–${hourName.format(start.getTime() + 3_600_000)}`,
            value: t(`measured.${view.measure}`, { value: format(sum, partial[row]?.[hour] ?? 0) }),
          }),
        );
      }
    }
    this.#describe(document.activeElement);
  }

  /** @param {unknown} target */
  #describe(target) {
    const cell = this.#cells.flat().find((one) => one === target);
    this.#note.textContent = cell?.getAttribute('aria-label') ?? t('heat.hint');
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const row = this.#cells.findIndex((cells) => cells.some((cell) => cell === event.target));
    const column = this.#cells[row]?.findIndex((cell) => cell === event.target) ?? -1;
    /** @type {Readonly<Record<string, readonly [number, number]>>} */
    const moves = {
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      Home: [row, 0],
      End: [row, 23],
    };
    const [nextRow, nextColumn] = moves[event.key] ?? [];
    const next = this.#cells[nextRow ?? -1]?.[nextColumn ?? -1];
    if (!next || column < 0) return;
    event.preventDefault();
    this.#cells[row]?.[column]?.setAttribute('tabindex', '-1');
    next.setAttribute('tabindex', '0');
    next.focus();
  }
}

/** Days of the week, Sunday is 0, in the order of the locale. */
function weekdays() {
  const calendar = /** @type {{ getWeekInfo?: () => { firstDay: number } }} */ (
    new Intl.Locale(locale)
  );
  const first = calendar.getWeekInfo?.().firstDay ?? 1;
  return Array.from({ length: 7 }, (_, index) => (first + index) % 7);
}

/** Some such day, ms. @param {number} day */
function dateOf(day) {
  return Date.UTC(2023, 0, 1 + day);
}
