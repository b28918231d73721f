import { TokenMeterError } from '../../errors.ts';
import { PRICED_KINDS, kindName, parentOf, type PricedKind } from '../../prices/kinds.ts';
import { type Bill, type BillLine, decimalsOf } from '../bill.ts';
import { dayCell, numberCell, type ToUsd } from './cell-values.ts';
import { parseCsv } from './csv-table.ts';

/** Columns of FOCUS 1.2 that are read. */
const NEEDED = ['ChargePeriodStart', 'ChargeCategory', 'BilledCost', 'BillingCurrency'];

export interface FocusOptions {
  readonly file: string;
  /** Column with the name of the model. @default `x_Model` if there is one, otherwise `ResourceName` */
  readonly modelColumn?: string | undefined;
  readonly toUsd: ToUsd;
}

/**
 * A FOCUS 1.2 file: charges of the category Usage. `SkuMeter` is the kind if it is one of ours, as in the files
 * that `export --format focus` writes; other quantities are not compared.
 */
export function focusBill(text: string, { file, modelColumn, toUsd }: FocusOptions): Bill {
  const table = parseCsv(text, file);
  const needed = modelColumn === undefined ? NEEDED : [...NEEDED, modelColumn];
  const absent = needed.filter((column) => !table.columns.includes(column));
  if (absent.length > 0) {
    throw new TokenMeterError('INVALID_OPTION', `${file} has no column ${absent.join(', ')}`, {
      value: absent.join(', '),
      allowed: 'a FOCUS 1.2 file',
    });
  }
  const model = modelColumn ?? (table.columns.includes('x_Model') ? 'x_Model' : 'ResourceName');
  const lines: BillLine[] = [];
  const leftOut = new Map<string, number>();
  const costs: string[] = [];
  for (const row of table.rows) {
    const costUsd = toUsd(
      numberCell({ file, row, column: 'BilledCost' }) ?? 0,
      row.get('BillingCurrency') ?? 'USD',
    );
    const category = row.get('ChargeCategory') ?? '';
    if (category !== 'Usage') {
      leftOut.set(category, (leftOut.get(category) ?? 0) + costUsd);
      continue;
    }
    costs.push(row.get('BilledCost') ?? '');
    const [name, account, tier] = [
      row.get(model),
      row.get('SubAccountId'),
      row.get('x_ServiceTier'),
    ];
    const of = {
      day: dayCell({ file, row, column: 'ChargePeriodStart' }),
      ...(name !== undefined && { model: name }),
      ...(account !== undefined && { account }),
      ...(tier !== undefined && { tier }),
    };
    const kind = PRICED_KINDS.find((known) => kindName(known) === row.get('SkuMeter'));
    const quantity = numberCell({ file, row, column: 'ConsumedQuantity' });
    if (kind === undefined || quantity === undefined) {
      lines.push({ ...of, costUsd, isUsageUnknown: true });
      continue;
    }
    lines.push({ ...of, costUsd });
    for (const whole of wholesOf(kind)) lines.push({ ...of, kind: whole, quantity });
  }
  return {
    source: `FOCUS file ${file}`,
    lines,
    gives: ['costs'],
    isChargesOnly: true,
    ...(costs.length > 0 && { costDecimals: decimalsOf(costs) }),
    notes: [...leftOut].map(
      ([category, usd]) => `Charges of the category ${category} were left out: $${usd.toFixed(2)}.`,
    ),
  };
}

/** Charges do not overlap, so a part counts for each quantity that includes it. */
function wholesOf(kind: PricedKind): readonly string[] {
  const wholes = new Set([kindName(kind)]);
  for (let parent = parentOf(kind); parent !== undefined; parent = parentOf(parent)) {
    wholes.add(kindName(parent));
  }
  const cached = /^(audio|image|video)_cache_read_tokens$/.exec(kindName(kind))?.[1];
  if (cached !== undefined) wholes.add(`${cached}_input_tokens`);
  return [...wholes];
}
