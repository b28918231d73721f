/** Number of series with a separate colour; `(other)` is grey. */
export const SLOTS = 6;

/** Slots by the hash of a name, kept in the browser: the same colours after a reload and in the next tab. */
const STORE = 'token_meter_colours';
const MAX_KEPT = 500;
const kept = read();

/**
 * Colours of named series, as names of custom properties. A name has the same colour in every chart of
 * this browser, unless another name of the chart has it: the slot that its letters decide, or the next one
 * that is free in the first chart with the name.
 */
export function coloursOf(names: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Map<number, string>();
  // In the order of names, so that the order of sizes changes no colour.
  const shown = names.slice(0, SLOTS).toSorted();
  for (const name of shown) {
    const slot = kept.get(hash(name));
    if (slot !== undefined && !taken.has(slot)) taken.set(slot, name);
  }
  const placed = new Set(taken.values());
  const before = kept.size;
  for (const name of shown.filter((each) => !placed.has(each))) {
    let slot = hash(name) % SLOTS;
    while (taken.has(slot)) slot = (slot + 1) % SLOTS;
    taken.set(slot, name);
    if (!kept.has(hash(name))) kept.set(hash(name), slot);
  }
  if (kept.size > before) keep();
  return new Map([...taken].map(([slot, name]) => [name, `--series-${slot + 1}`]));
}

function read(): Map<number, number> {
  try {
    const entries: unknown = JSON.parse(localStorage.getItem(STORE) ?? '[]');
    if (Array.isArray(entries)) return new Map(entries.filter(isEntry));
  } catch {
    // Not readable, or refused by the browser: colours hold until the page is left.
  }
  return new Map();
}

function isEntry(entry: unknown): entry is [number, number] {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [name, slot] = entry;
  return Number.isInteger(name) && Number.isInteger(slot) && slot >= 0 && slot < SLOTS;
}

/** Hashes rather than names: whose usage was looked at stays in no storage. Other tabs may have added some. */
function keep(): void {
  for (const [name, slot] of read()) if (!kept.has(name)) kept.set(name, slot);
  try {
    localStorage.setItem(STORE, JSON.stringify([...kept].slice(-MAX_KEPT)));
  } catch {
    // As in `read`.
  }
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
