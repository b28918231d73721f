/**
 * Memory is laid out by hand, once: tables first, then one open-ended area for text and work. There
 * is no allocator and so nothing to free.
 */

let top: usize = __heap_base;

/** Grows the memory to `end` bytes; traps when the host refuses. */
export function ensure(end: usize): void {
  const pages = <i32>((end + 0xffff) >>> 16);
  const missing = pages - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
}

/** A table that stays for good, on a cache line of its own; zero unless the open area was used. */
export function reserve(bytes: usize): usize {
  const at = (top + 63) & ~63;
  top = at + bytes;
  ensure(top);
  return at;
}

/** Where the open-ended area begins. */
export function openArea(): usize {
  return (top + 63) & ~63;
}
