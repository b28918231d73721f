import { TokenMeterError } from '../../errors.ts';
import { type Bill, type BillLine, decimalsOf } from '../bill.ts';
import { QUANTITY_NAMES } from '../quantities.ts';
import { currencyOfCell, dayCell, numberCell, type ToUsd } from './cell-values.ts';
import { type CsvTable, parseCsv } from './csv-table.ts';

const MEMBERS = [
  'day',
  'model',
  'kind',
  'quantity',
  'cost',
  'currency',
  'account',
  'tier',
] as const;
type Member = (typeof MEMBERS)[number];

/** Names of columns in the file, by what they hold. */
export type InvoiceColumns = Readonly<Partial<Record<Member, string>>>;

/** `day=Date,cost=Amount (USD)` */
export function parseInvoiceColumns(text: string): InvoiceColumns {
  const columns: Partial<Record<Member, string>> = {};
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=');
    const member = MEMBERS.find((name) => name === pair.slice(0, at).trim());
    if (at < 0 || member === undefined) {
      throw new TokenMeterError('INVALID_OPTION', '--columns is not valid', {
        value: pair,
        allowed: `NAME=COLUMN, with NAME one of ${MEMBERS.join(', ')}`,
      });
    }
    columns[member] = pair.slice(at + 1).trim();
  }
  return columns;
}

/** An invoice, or any other list of usage and costs, as CSV. */
export function invoiceBill(
  text: string,
  { file, columns, toUsd }: { file: string; columns: InvoiceColumns; toUsd: ToUsd },
): Bill {
  const table = parseCsv(text, file);
  const names = columnNames(table, columns, file);
  const lines: BillLine[] = [];
  const unknown = new Set<string>();
  const costs: string[] = [];
  for (const row of table.rows) {
    const textOf = (member: Member): string | undefined => {
      const column = names[member];
      return column === undefined ? undefined : row.get(column);
    };
    const numberOf = (member: Member): number | undefined => {
      const column = names[member];
      return column === undefined ? undefined : numberCell({ file, row, column });
    };
    // The column counts: a `$` may be that of another dollar.
    const currencyOf = (): string =>
      textOf('currency') ?? currencyOfCell({ file, row, column: names.cost ?? '' }) ?? 'USD';
    const kind = textOf('kind');
    const quantity = numberOf('quantity');
    const isKnown = kind !== undefined && QUANTITY_NAMES.includes(kind);
    if (kind !== undefined && !isKnown && quantity !== undefined) unknown.add(kind);
    const cost = numberOf('cost');
    if (cost !== undefined) costs.push(textOf('cost') ?? '');
    const [model, account, tier] = [textOf('model'), textOf('account'), textOf('tier')];
    lines.push({
      day: dayCell({ file, row, column: names.day ?? '' }),
      ...(isKnown && quantity !== undefined && { kind, quantity }),
      ...(cost !== undefined && { costUsd: toUsd(cost, currencyOf()) }),
      ...(model !== undefined && { model }),
      ...(account !== undefined && { account }),
      ...(tier !== undefined && { tier: tier.toLowerCase() }),
    });
  }
  return {
    source: `invoice ${file}`,
    lines,
    gives: [
      ...(names.kind !== undefined && names.quantity !== undefined ? (['usage'] as const) : []),
      ...(names.cost === undefined ? [] : (['costs'] as const)),
    ],
    ...(costs.length > 0 && { costDecimals: decimalsOf(costs) }),
    notes: [...unknown].map(
      (kind) => `Quantities of ${JSON.stringify(kind)} were left out: no such kind is recorded.`,
    ),
  };
}

function columnNames(table: CsvTable, columns: InvoiceColumns, file: string): InvoiceColumns {
  const found: Partial<Record<Member, string>> = {};
  for (const member of MEMBERS) {
    const asked = columns[member];
    const column = table.columns.find((name) =>
      asked === undefined ? DEFAULT_NAMES[member].includes(name.toLowerCase()) : name === asked,
    );
    if (asked !== undefined && column === undefined) throw missing(file, asked, table);
    if (column !== undefined) found[member] = column;
  }
  if (found.day === undefined) throw missing(file, 'day', table);
  if (found.cost === undefined && (found.quantity === undefined || found.kind === undefined)) {
    throw missing(file, 'cost', table);
  }
  return found;
}

/** Column names that need no `--columns`. */
const DEFAULT_NAMES: Readonly<Record<Member, readonly string[]>> = {
  day: ['day', 'date'],
  model: ['model'],
  kind: ['kind'],
  quantity: ['quantity'],
  cost: ['cost', 'cost_usd', 'amount'],
  currency: ['currency'],
  account: ['account', 'api_key', 'api_key_id', 'project', 'project_id', 'workspace'],
  tier: ['tier', 'service_tier'],
};

function missing(file: string, column: string, { columns }: CsvTable): TokenMeterError {
  return new TokenMeterError(
    'INVALID_OPTION',
    `${file} has no column for ${column}; its columns are ${columns.join(', ')}`,
    { value: column, allowed: '--columns day=…,model=…,kind=…,quantity=…,cost=…' },
  );
}
