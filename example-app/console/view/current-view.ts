import { computed } from '@preact/signals';
import { go, path, search } from '../router.ts';
import {
  type Dimension,
  type Range,
  type TableState,
  type View,
  searchOf,
  viewOf,
  withFilter,
} from './view.ts';

/** The view of the address. */
export const view = computed(() => viewOf(search.value));

/** Shows another view on this page. */
export function show(next: View): void {
  go(path.value + searchOf(next));
}

export function change(part: Partial<View>): void {
  show({ ...view.value, ...part });
}

/** Sorts, searches or turns the table of the page. Typing makes no history. */
export function changeTable(table: TableState): void {
  const isTyping = table.search !== view.value.table.search;
  go(path.value + searchOf({ ...view.value, table }), { replace: isTyping });
}

/** Shows the dragged part of a chart. */
export function zoom(from: Date, to: Date): void {
  change({ range: { from: from.toISOString(), to: to.toISOString() } });
}

/** Picking the only value again removes the filter. */
export function pick(dimension: Dimension, value: string): void {
  const [only, ...more] = view.value.filters[dimension] ?? [];
  const again = more.length === 0 && only === value;
  show(withFilter(view.value, dimension, again ? [] : [value]));
  // The timeline appears above the picked element, outside the viewport.
  if (dimension === 'conversation' && !again) document.querySelector('#controls')?.scrollIntoView();
}

/** Address of another page with the range and the filters of this one. */
export function addressOf(page: string): string {
  const { range, filters, measure } = view.value;
  return page + searchOf({ ...viewOf(''), range, filters, measure });
}

/** Address of a page with nothing but a range and one filter. */
export function linkTo(page: string, range: Range, dimension: Dimension, value: string): string {
  return page + searchOf({ ...viewOf(''), range, filters: { [dimension]: [value] } });
}
