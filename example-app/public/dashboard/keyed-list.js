// @ts-check

/**
 * Shows items as children of an element. The element of an item is reused, so that focus,
 * selection and scroll position are kept and nothing flickers.
 *
 * @template T
 * @template {HTMLElement} E
 */
export class KeyedList {
  /** @type {Map<string, E>} */
  #shown = new Map();
  #host;
  #make;
  #update;

  /**
   * @param {HTMLElement} host
   * @param {() => E} make an element without content
   * @param {(element: E, item: T, index: number) => void} update fills it
   */
  constructor(host, make, update) {
    this.#host = host;
    this.#make = make;
    this.#update = update;
  }

  /** @param {readonly (readonly [key: string, item: T])[]} items keys are unique */
  show(items) {
    /** @type {Map<string, E>} */
    const next = new Map();
    for (const [index, [key, item]] of items.entries()) {
      const element = this.#shown.get(key) ?? this.#make();
      this.#update(element, item, index);
      next.set(key, element);
    }
    for (const [key, element] of this.#shown) if (!next.has(key)) element.remove();
    let at = this.#host.firstElementChild;
    for (const element of next.values()) {
      // Moving an element removes its focus, so only misplaced ones are moved.
      if (element === at) at = at.nextElementSibling;
      else this.#host.insertBefore(element, at);
    }
    this.#shown = next;
  }
}
