import { newTally, type UsageSums } from '../ledger/queries/usage-sums.ts';
import { SUMS } from './sums.ts';

type SumName = keyof UsageSums;
type Text = string | null;

/** A row of a day's sums: a user or a conversation, what else they are by, and sums in the order of `SUMS`. */
export interface DayRow {
  readonly key: Text;
  readonly team: Text;
  readonly outcome: Text;
  readonly sums: readonly (number | null)[];
}

/** The rows of a day by columns. */
export interface DayBlock {
  readonly keys: readonly Text[];
  readonly teams: readonly Text[];
  readonly outcomes: readonly Text[];
  /** NaN is null. A column in which every row has what a row without calls has is left out. */
  readonly columns: ReadonlyMap<SumName, Float64Array>;
}

/** A column of whole numbers takes as little as its largest one, whose successor may be the mark of a null. */
const WIDTHS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array } as const;
type Width = keyof typeof WIDTHS;
const WHOLE = ['u8', 'u16', 'u32'] as const;

const nullOf = (width: Width): number =>
  width === 'f64' ? Number.NaN : 2 ** (8 * WIDTHS[width].BYTES_PER_ELEMENT) - 1;

interface Header {
  readonly keys: readonly Text[];
  /** Different values, and the place of each row's. */
  readonly teams: TextColumn;
  readonly outcomes: TextColumn;
  /** In the order of their bytes. */
  readonly columns: readonly (readonly [name: SumName, width: Width])[];
}

interface TextColumn {
  readonly values: readonly Text[];
  /** Left out where there is one value. */
  readonly places?: readonly number[];
}

const NONE: Readonly<UsageSums> = newTally(false).sums;
const HEAD_BYTES = 4;

/** Length of the header, the header as JSON, and the columns one after the other. */
export function encodeDayBlock(rows: readonly DayRow[]): Uint8Array {
  const columns = [...SUMS.entries()].flatMap(([place, { name }]) => {
    const values = rows.map(({ sums }) => sums[place] ?? null);
    const isEmpty = values.every((value) => value === (NONE[name] ?? null));
    return isEmpty ? [] : [{ name, values, width: widthOf(values) }];
  });
  const header: Header = {
    keys: rows.map(({ key }) => key),
    teams: textColumn(rows.map(({ team }) => team)),
    outcomes: textColumn(rows.map(({ outcome }) => outcome)),
    columns: columns.map(({ name, width }) => [name, width]),
  };
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(text.length);
  const bodies = columns.map(({ values, width }) => {
    const none = nullOf(width);
    return new Uint8Array(new WIDTHS[width](values.map((value) => value ?? none)).buffer);
  });
  return Buffer.concat([head, text, ...bodies]);
}

export function decodeDayBlock(bytes: Uint8Array): DayBlock {
  const { buffer, byteOffset, byteLength } = bytes;
  const block = Buffer.from(buffer, byteOffset, byteLength);
  let at = HEAD_BYTES + block.readUInt32LE();
  const header = JSON.parse(block.toString('utf8', HEAD_BYTES, at)) as Header;
  const rows = header.keys.length;
  const columns = new Map<SumName, Float64Array>();
  for (const [name, width] of header.columns) {
    const end = at + rows * WIDTHS[width].BYTES_PER_ELEMENT;
    // A copy: a view would have to begin at a multiple of its width.
    const values = new WIDTHS[width](new Uint8Array(block.subarray(at, end)).buffer);
    columns.set(name, withNaN(values, nullOf(width)));
    at = end;
  }
  return {
    keys: header.keys,
    teams: textsOf(header.teams, rows),
    outcomes: textsOf(header.outcomes, rows),
    columns,
  };
}

/** The block without a key, whose sums become those of no key; undefined where no row has it. */
export function withoutKey(bytes: Uint8Array, erased: string): Uint8Array | undefined {
  const { keys, teams, outcomes, columns } = decodeDayBlock(bytes);
  if (!keys.includes(erased)) return undefined;
  const rows = new Map<string, DayRow & { readonly sums: (number | null)[] }>();
  for (const [row, before] of keys.entries()) {
    const key = before === erased ? null : before;
    const [team = null, outcome = null] = [teams[row], outcomes[row]];
    const name = JSON.stringify([key, team, outcome]);
    const known = rows.get(name);
    const sums = known?.sums ?? SUMS.map((sum) => NONE[sum.name] ?? null);
    if (known === undefined) rows.set(name, { key, team, outcome, sums });
    for (const [place, { name: sum }] of SUMS.entries()) {
      const value = columns.get(sum)?.[row] ?? Number.NaN;
      if (!Number.isNaN(value)) sums[place] = (sums[place] ?? 0) + value;
    }
  }
  return encodeDayBlock([...rows.values()]);
}

function widthOf(values: readonly (number | null)[]): Width {
  let largest = 0;
  for (const value of values) {
    if (value === null) continue;
    if (!Number.isInteger(value) || value < 0) return 'f64';
    largest = Math.max(largest, value);
  }
  return WHOLE.find((width) => largest < nullOf(width)) ?? 'f64';
}

function withNaN(values: ArrayLike<number>, none: number): Float64Array {
  const floats = new Float64Array(values);
  if (Number.isNaN(none)) return floats;
  for (let row = 0; row < floats.length; row++) if (floats[row] === none) floats[row] = Number.NaN;
  return floats;
}

function textColumn(texts: readonly Text[]): TextColumn {
  const places = new Map<Text, number>();
  for (const text of texts) if (!places.has(text)) places.set(text, places.size);
  const values = [...places.keys()];
  if (values.length === 1) return { values };
  return { values, places: texts.map((text) => places.get(text) ?? 0) };
}

function textsOf({ values, places }: TextColumn, rows: number): readonly Text[] {
  const [only = null] = values;
  if (places === undefined) return Array.from({ length: rows }, () => only);
  return places.map((place) => values[place] ?? null);
}
