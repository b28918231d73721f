/** Number of series with a separate colour; `(other)` is grey. */
export const SLOTS = 6;

/** The slots that names have had. */
const kept = new Map<string, number>();

/**
 * Colours of named series, as names of custom properties. A name has the same colour in every chart,
 * unless another name of the chart has it: its own slot, which its letters decide, or the next one that is
 * free in the first chart with the name.
 */
export function coloursOf(names: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Map<number, string>();
  // In the order of names, so that the order of sizes changes no colour.
  const shown = names.slice(0, SLOTS).toSorted();
  const isFree = (name: string): boolean => kept.has(name) && !taken.has(kept.get(name)!);
  for (const name of shown) if (isFree(name)) taken.set(kept.get(name)!, name);
  const placed = new Set(taken.values());
  for (const name of shown.filter((each) => !placed.has(each))) {
    let slot = hash(name) % SLOTS;
    while (taken.has(slot)) slot = (slot + 1) % SLOTS;
    taken.set(slot, name);
    if (!kept.has(name)) kept.set(name, slot);
  }
  return new Map([...taken].map(([slot, name]) => [name, `--series-${slot + 1}`]));
}

export const OTHER_COLOUR = '--series-other';

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** A custom property as a colour that a canvas accepts. */
export function canvasColour(host: HTMLElement, property: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${property})`;
  host.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
