/** https://sqlite.org/fileformat2.html#b_tree_pages */
const INTERIOR_INDEX = 0x02;
const LEAF_INDEX = 0x0a;

/** Page numbers of the children of an inner page of an index or a table without rowids, in a whole file. */
export function childrenOf(file: Buffer, pageSize: number, page: number): number[] {
  const bytes = file.subarray((page - 1) * pageSize, page * pageSize);
  if (bytes[0] !== INTERIOR_INDEX) return [];
  const cells = Array.from({ length: bytes.readUInt16BE(3) }, (_, i) =>
    bytes.readUInt32BE(bytes.readUInt16BE(12 + 2 * i)),
  );
  return [...cells, bytes.readUInt32BE(8)];
}

/** Page numbers of the leaves below a page, in the order of their keys. */
export function leavesBelow(file: Buffer, pageSize: number, page: number): number[] {
  const type = file[(page - 1) * pageSize];
  if (type === LEAF_INDEX) return [page];
  return childrenOf(file, pageSize, page).flatMap((child) => leavesBelow(file, pageSize, child));
}
