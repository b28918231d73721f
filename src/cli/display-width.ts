/** East Asian wide and full-width characters and emoji take two terminal columns. */
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;
/** Combining characters, and the isolates around a name. */
const NO_WIDTH = /\p{Mark}|\u200D|[\u2066-\u2069]/u;
const ASCII = /^[ -~]*$/;

function widthOf(character: string): number {
  if (WIDE.test(character)) return 2;
  return NO_WIDTH.test(character) ? 0 : 1;
}

/** Width of a text in terminal columns. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  return Array.from(text).reduce((sum, character) => sum + widthOf(character), 0);
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** Truncates a text to a number of columns, with an ellipsis. */
export function fitWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let [fitted, used, open] = ['', 0, 0];
  for (const character of text) {
    used += widthOf(character);
    if (used > width - 1) break;
    if (character === '\u2068') open += 1;
    if (character === '\u2069') open -= 1;
    fitted += character;
  }
  return `${fitted}…${'\u2069'.repeat(open)}`;
}
