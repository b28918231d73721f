/**
 * The memory layout is fixed: tables first, then one open-ended area for text and work. There is no
 * allocator and nothing to free.
 */

let top: usize = __heap_base;

/** Grows the memory to `end` bytes. Traps when the host refuses. */
export function ensure(end: usize): void {
  const pages = <i32>((end + 0xffff) >>> 16);
  const missing = pages - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
}

/**
 * Allocates a permanent table, aligned to a cache line. It is zeroed unless the open-ended area was
 * used before.
 */
export function reserve(bytes: usize): usize {
  const at = (top + 63) & ~63;
  top = at + bytes;
  ensure(top);
  return at;
}

/** Start of the open-ended area. */
export function openArea(): usize {
  return (top + 63) & ~63;
}
