// @ts-check

// Visible texts below the contrast of 4.5:1 that WCAG asks for, as the value of this script.

/** @param {string} color @returns {number[]} */
function rgb(color) {
  const context = document.createElement('canvas').getContext('2d');
  if (!context) throw new Error('no canvas');
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data];
}

/** @param {number[]} color */
function luminance(color) {
  const [r = 0, g = 0, b = 0] = color.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {Element} element */
function backOf(element) {
  for (let each = /** @type {Element | null} */ (element); each; each = each.parentElement) {
    const color = rgb(getComputedStyle(each).backgroundColor);
    if (color[3] === 255) return color;
  }
  return [255, 255, 255];
}

/** @param {Element} element */
function isReadable(element) {
  const [a, b] = [luminance(rgb(getComputedStyle(element).color)), luminance(backOf(element))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) >= 4.5;
}

/** @param {Element} element */
function showsText(element) {
  const isText = (/** @type {Node} */ node) =>
    node.nodeType === Node.TEXT_NODE && (node.textContent ?? '').trim() !== '';
  const shown = element.checkVisibility() && !element.matches(':disabled');
  return shown && [...element.childNodes].some(isText);
}

[...document.querySelectorAll('body *')]
  .filter((element) => showsText(element) && !isReadable(element))
  .map((element) => element.outerHTML);
