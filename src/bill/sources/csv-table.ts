import { TokenMeterError } from '../../errors.ts';

/** A row by column name, and its line in the file. */
export interface CsvRow {
  readonly line: number;
  get(column: string): string | undefined;
}

export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/** Writers put it before a text that a spreadsheet would take for a formula, as our own do. */
const GUARD = /^'(?=[=+\-@\t\r\n＝＋－＠])/;

/** Reads CSV (RFC 4180) with a head line; a semicolon or tab may separate, as spreadsheets write it. */
export function parseCsv(text: string, name: string): CsvTable {
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const separator = separatorOf(content);
  const records = [...recordsOf(content, separator, name)];
  const [head, ...rest] = records;
  const columns = head?.cells.map((cell) => cell.trim()) ?? [];
  if (columns.length < 2) {
    throw new TokenMeterError('INVALID_OPTION', `${name} is no CSV file with a head line`, {
      value: name,
      allowed: 'a CSV file whose first line names its columns',
    });
  }
  const places = new Map(columns.map((column, place) => [column, place]));
  return {
    columns,
    rows: rest
      .filter(({ cells }) => cells.some((cell) => cell !== ''))
      .map(({ cells, line }) => ({
        line,
        get(column) {
          const place = places.get(column);
          const cell = place === undefined ? undefined : cells[place]?.trim();
          return cell === '' ? undefined : cell?.replace(GUARD, '');
        },
      })),
  };
}

function separatorOf(text: string): string {
  const head = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  const counts = [',', ';', '\t'].map((sign) => [sign, head.split(sign).length] as const);
  return counts.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

function* recordsOf(
  text: string,
  separator: string,
  name: string,
): Generator<{ readonly cells: readonly string[]; readonly line: number }> {
  let cells: string[] = [];
  let cell = '';
  let line = 1;
  let start = 1;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i] ?? '';
    if (isQuoted) {
      if (sign === '"' && text[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else if (sign === '"') isQuoted = false;
      else cell += sign;
      if (sign === '\n') line += 1;
    } else if (sign === '"' && cell === '') isQuoted = true;
    else if (sign === separator) {
      cells.push(cell);
      cell = '';
    } else if (sign === '\n' || sign === '\r') {
      if (sign === '\r' && text[i + 1] === '\n') i += 1;
      yield { cells: [...cells, cell], line: start };
      line += 1;
      start = line;
      cells = [];
      cell = '';
    } else cell += sign;
  }
  if (isQuoted) {
    throw new TokenMeterError('INVALID_OPTION', `${name}, line ${start}: a quote is not closed`, {
      value: name,
    });
  }
  if (cell !== '' || cells.length > 0) yield { cells: [...cells, cell], line: start };
}
