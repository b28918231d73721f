/*
 * Names of segments tell what is in them, so that a folder can be read without its owner: `x.lines.open`
 * is appended to, `x-1000.lines` holds 1000 lines for good, `x-1000.lines.zst` the same compressed.
 */
const OPEN = '.lines.open';
const COMPRESSED = '.lines.zst';
const SEALED = /-(\d+)\.lines(\.zst)?$/;
/** A file that is being made, worth nothing before it gets its name. */
export const TEMPORARY = '.tmp';

export function isSegment(name: string): boolean {
  return name.endsWith(OPEN) || SEALED.test(name);
}

export function isCompressed(name: string): boolean {
  return name.endsWith(COMPRESSED);
}

/** Lines of a sealed segment; undefined for one that was left open. */
export function linesInName(name: string): number | undefined {
  const lines = SEALED.exec(name)?.[1];
  return lines === undefined ? undefined : Number(lines);
}

export function nameOfOpen(name: string): string {
  return name + OPEN;
}

export function nameOfSealed(open: string, lines: number): string {
  return `${open.slice(0, -OPEN.length)}-${lines}.lines`;
}

export function nameOfCompressed(sealed: string): string {
  return sealed.replace(/\.lines$/, COMPRESSED);
}
