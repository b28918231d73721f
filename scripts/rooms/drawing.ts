import type { Room } from './rooms.ts';

const COLUMNS = ['src', 'exporter'] as const;

/**
 * The rooms on their floors. A room is one floor higher than the highest room it imports, so every
 * import points downwards.
 */
export function drawing(rooms: readonly Room[]): string {
  const floors = floorsOf(rooms);
  const top = Math.max(...floors.values());
  const rows: (readonly string[])[] = [['floor', ...COLUMNS.map((name) => `${name}/`)]];
  for (let floor = top; floor >= 0; floor--) {
    const onFloor = rooms.filter(({ path }) => floors.get(path) === floor);
    rows.push([String(floor), ...COLUMNS.map((column) => namesIn(column, onFloor))]);
  }
  const widths =
    rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' │ ');
  const rule = widths.map((width) => '─'.repeat(width)).join('─┼─');
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].map((text) => text.trimEnd()).join('\n');
}

function floorsOf(rooms: readonly Room[]): ReadonlyMap<string, number> {
  const floors = new Map<string, number>();
  for (const { path, imports } of rooms) {
    floors.set(path, Math.max(-1, ...imports.map((name) => floors.get(name) ?? -1)) + 1);
  }
  return floors;
}

function namesIn(column: string, rooms: readonly Room[]): string {
  return rooms
    .filter(({ path }) => path.startsWith(`${column}/`))
    .map(({ path }) => path.slice(column.length + 1))
    .join('  ');
}
