// @ts-check

/**
 * An element of the page that must be there.
 *
 * @template {Element} E
 * @param {string} selector
 * @param {new () => E} type
 * @param {ParentNode} [root]
 */
export function find(selector, type, root = document) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
}

/**
 * A new element. Text is only ever set as text: nothing from outside becomes markup.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string | number | boolean | undefined>>} attributes
 *   `true` sets an empty attribute, `false` and `undefined` none.
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Shows a message in a banner of the page, or hides it.
 *
 * @param {HTMLElement} banner
 * @param {string} [message]
 */
export function showBanner(banner, message) {
  banner.textContent = message ?? '';
  banner.hidden = message === undefined;
}
