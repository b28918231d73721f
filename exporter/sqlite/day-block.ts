import { newTally, type UsageSums } from '../ledger/queries/usage-sums.ts';
import { KeyNumbers } from './key-numbers.ts';
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
  /** Its places are numbers of `KeyNumbers`. */
  readonly keys: Required<TextColumn>;
  readonly teams: TextColumn;
  readonly outcomes: TextColumn;
  /** NaN is null. A column in which every row has what a row without calls has is left out. */
  readonly columns: ReadonlyMap<SumName, Float64Array>;
}

/** A column of whole numbers takes as little as its largest one, whose successor may be the mark of a null. */
const WIDTHS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array } as const;
type Width = keyof typeof WIDTHS;
const WHOLE = ['u8', 'u16', 'u32'] as const;

const nullOf = (width: Width): number =>
  width === 'f64' ? Number.NaN : 2 ** (8 * WIDTHS[width].BYTES_PER_ELEMENT) - 1;

/** The keys come first. */
interface Header {
  readonly keys: readonly Text[];
  readonly teams: TextColumn;
  readonly outcomes: TextColumn;
  /** In the order of their bytes. */
  readonly columns: readonly (readonly [name: SumName, width: Width])[];
}

/** Different values, and the place of each row's. */
export interface TextColumn {
  readonly values: readonly Text[];
  /** Left out where there is one value. */
  readonly places?: readonly number[];
}

const NONE: Readonly<UsageSums> = newTally(false).sums;
const HEAD_BYTES = 4;
const BEFORE_KEYS = '{"keys":';

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

/** Reads blocks one after the other, into the same memory: the columns of one are there until the next is read. */
export class DayBlockReader {
  readonly #keys = new KeyNumbers();
  readonly #columns: Float64Array[] = [];
  #raw = new ArrayBuffer(0);

  read(bytes: Uint8Array): DayBlock {
    const { buffer, byteOffset, byteLength } = bytes;
    const block = Buffer.from(buffer, byteOffset, byteLength);
    let at = HEAD_BYTES + block.readUInt32LE();
    const { numbers, end: endOfKeys } = this.#keys.readArray(
      block,
      HEAD_BYTES + BEFORE_KEYS.length,
    );
    const rest = block.toString('utf8', endOfKeys, at).replace(',', '{');
    const { teams, outcomes, columns: widths } = JSON.parse(rest) as Omit<Header, 'keys'>;
    const columns = new Map<SumName, Float64Array>();
    for (const [place, [name, width]] of widths.entries()) {
      const end = at + numbers.length * WIDTHS[width].BYTES_PER_ELEMENT;
      columns.set(name, this.#column(place, numbers.length, width, block.subarray(at, end)));
      at = end;
    }
    return { keys: { values: this.#keys.texts, places: numbers }, teams, outcomes, columns };
  }

  #column(place: number, rows: number, width: Width, bytes: Uint8Array): Float64Array {
    if (this.#raw.byteLength < bytes.length) this.#raw = new ArrayBuffer(2 * bytes.length);
    new Uint8Array(this.#raw).set(bytes);
    let memory = this.#columns[place];
    if (memory === undefined || memory.length < rows) {
      memory = this.#columns[place] = new Float64Array(2 * rows);
    }
    const column = memory.subarray(0, rows);
    // A view of the block itself would have to begin at a multiple of its width.
    column.set(new WIDTHS[width](this.#raw, 0, rows));
    const none = nullOf(width);
    if (!Number.isNaN(none)) {
      for (let row = 0; row < rows; row++) if (column[row] === none) column[row] = Number.NaN;
    }
    return column;
  }
}

/** The block without a key, whose sums become those of no key; undefined where no row has it. */
export function withoutKey(bytes: Uint8Array, erased: string): Uint8Array | undefined {
  const { keys, teams, outcomes, columns } = new DayBlockReader().read(bytes);
  if (!keys.values.includes(erased)) return undefined;
  const rows = new Map<string, DayRow & { readonly sums: (number | null)[] }>();
  for (const row of keys.places.keys()) {
    const before = textAt(keys, row);
    const key = before === erased ? null : before;
    const [team, outcome] = [textAt(teams, row), textAt(outcomes, row)];
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

function textColumn(texts: readonly Text[]): TextColumn {
  const places = new Map<Text, number>();
  for (const text of texts) if (!places.has(text)) places.set(text, places.size);
  const values = [...places.keys()];
  if (values.length === 1) return { values };
  return { values, places: texts.map((text) => places.get(text) ?? 0) };
}

export function textAt({ values, places }: TextColumn, row: number): Text {
  return values[places?.[row] ?? 0] ?? null;
}
