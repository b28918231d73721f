// @ts-check

/**
 * Finds an element; throws if the page has none.
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
 * Creates an element. Text is never parsed as markup.
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

/** They could end the isolation. */
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;
/** Hebrew, Arabic and the other scripts that are written from right to left. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * A name that comes from a caller. It cannot change the order of the text around it: the element
 * isolates it, and controls are replaced.
 *
 * @param {string} name
 */
export function nameElement(name) {
  return element('bdi', {}, name.replaceAll(BIDI_CONTROLS, '\uFFFD'));
}

/**
 * The same inside a text, where there are no elements.
 *
 * @param {string} name
 */
export function isolated(name) {
  const plain = name.replaceAll(BIDI_CONTROLS, '\uFFFD');
  return RIGHT_TO_LEFT.test(plain) ? `\u2068${plain}\u2069` : plain;
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
