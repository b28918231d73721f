// @ts-check
import { element, find, isolated } from '../dom.js';
import { formatCost, formatMs, formatWhole, partialCostText } from '../formats.js';
import { t } from '../strings.js';
import {
  costCell,
  durationCell,
  outcomeCell,
  pickCell,
  timeCell,
  tokensCell,
} from './call-cells.js';
import { KeyedList } from './keyed-list.js';

/** @typedef {import('./usage-api.js').UsageRecord} UsageRecord */

/** The calls of one conversation, and the growth of its context. */
export class ConversationPanel {
  #host;
  #rows;

  /** @param {HTMLElement} host @param {import('./call-cells.js').Pick} onPick */
  constructor(host, onPick) {
    this.#host = host;
    this.#rows = new KeyedList(
      find('tbody', HTMLElement, host),
      () => element('tr'),
      (row, /** @type {readonly [number, UsageRecord]} */ [number, call]) => {
        // A call never changes.
        if (row.childElementCount > 0) return;
        row.append(
          element('td', { class: 'number', 'data-label': '#' }, String(number)),
          timeCell(call),
          pickCell('model', call, onPick),
          tokensCell(call),
          element('td', { class: 'wide', 'aria-hidden': 'true' }, tokenBar(call)),
          costCell(call),
          durationCell(call),
          outcomeCell(call),
        );
      },
    );
  }

  hide() {
    this.#host.hidden = true;
  }

  /** @param {import('./usage-api.js').Conversation | undefined} conversation undefined: unknown conversation */
  show(conversation) {
    this.#host.hidden = false;
    const { records = [], total, truncated = false } = conversation ?? {};
    const most = Math.max(1, ...records.map((call) => call.total_tokens ?? 0));
    this.#host.style.setProperty('--most', String(most));
    find('.facts', HTMLElement, this.#host).textContent = total
      ? factsOf(records, total)
      : t('conversation.unknown');
    find('.truncated', HTMLElement, this.#host).hidden = !truncated;
    find('.scroll', HTMLElement, this.#host).hidden = records.length === 0;
    const before = (total?.calls ?? records.length) - records.length;
    this.#rows.show(records.map((call, index) => [call.id, [before + index + 1, call]]));
  }
}

/** @param {readonly UsageRecord[]} records @param {NonNullable<import('./usage-api.js').Conversation['total']>} total */
function factsOf(records, total) {
  const users = [...new Set(records.map((call) => call.user_id ?? t('usage.noUser')))];
  const first = Date.parse(records[0]?.time ?? '');
  const last = Date.parse(records.at(-1)?.time ?? '');
  return [
    users.slice(0, 3).map(isolated).join(', '),
    t('usage.calls', { count: formatWhole(total.calls) }),
    t('usage.tokens', { count: formatWhole(total.total_tokens) }),
    formatCost(total),
    partialCostText(total.partial_cost_calls),
    t('conversation.span', { time: formatMs(last - first) }),
  ]
    .filter((fact) => fact !== '')
    .join(' · ');
}

/** Input and output of one call, scaled to the largest call. @param {UsageRecord} call */
function tokenBar({ input_tokens: input = 0, output_tokens: output = 0 }) {
  const bar = element('div', { class: 'token-bar' });
  for (const [name, tokens] of Object.entries({ input, output })) {
    const part = element('span', { class: name });
    part.style.setProperty('--tokens', String(tokens));
    bar.append(part);
  }
  return bar;
}
