import { readFile } from 'node:fs/promises';
import type { Bill } from '../../bill/bill.ts';
import type { ToUsd } from '../../bill/sources/cell-values.ts';
import { focusBill } from '../../bill/sources/focus.ts';
import { invoiceBill, parseInvoiceColumns } from '../../bill/sources/invoice.ts';
import { TokenMeterError } from '../../errors.ts';

const FILES = ['invoice', 'focus'] as const;
type FileName = (typeof FILES)[number];

export function isFileSource(name: string | undefined): name is FileName {
  return FILES.some((known) => known === name);
}

export async function fileBill(
  source: string | undefined,
  file: string,
  values: {
    readonly columns?: string | undefined;
    readonly 'model-column'?: string | undefined;
  },
  toUsd: ToUsd,
): Promise<Bill> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new TokenMeterError('INVALID_OPTION', `cannot read ${file}`, {
      value: file,
      allowed: 'a readable CSV file',
      cause,
    });
  });
  if (source === 'focus') {
    return focusBill(text, { file, modelColumn: values['model-column'], toUsd });
  }
  const columns = values.columns === undefined ? {} : parseInvoiceColumns(values.columns);
  return invoiceBill(text, { file, columns, toUsd });
}
