const MIB = 2 ** 20;

/** `24 MiB`, `0.3 MiB`. */
export function shownBytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0)} MiB`;
}
