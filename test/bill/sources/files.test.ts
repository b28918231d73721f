import assert from 'node:assert/strict';
import { parseCsv } from '../../../src/bill/sources/csv-table.ts';
import { focusBill } from '../../../src/bill/sources/focus.ts';
import { invoiceBill, parseInvoiceColumns } from '../../../src/bill/sources/invoice.ts';

const toUsd = (amount: number, currency: string): number => {
  if (currency === 'EUR') return amount * 1.1;
  if (currency === 'USD') return amount;
  throw new Error(`no rate of ${currency}`);
};
const invoice = (text: string, columns = ''): ReturnType<typeof invoiceBill> =>
  invoiceBill(text, {
    file: 'bill.csv',
    columns: columns === '' ? {} : parseInvoiceColumns(columns),
    toUsd,
  });

describe('a CSV file', () => {
  it('is read with quotes, line breaks in cells, any line end and a byte order mark', () => {
    const { columns, rows } = parseCsv('\uFEFFa,"b ""c"""\r\n"x,\n1",2\r\n\r\n3,\r4,5', 'f');
    assert.deepEqual(columns, ['a', 'b "c"']);
    assert.deepEqual(
      rows.map((row) => [row.line, row.get('a'), row.get('b "c"')]),
      [
        [2, 'x,\n1', '2'],
        [5, '3', undefined],
        [6, '4', '5'],
      ],
    );
  });

  it('may be separated by semicolons or tabs', () => {
    assert.equal(parseCsv('a;b\n1,5;2', 'f').rows[0]?.get('a'), '1,5');
    assert.equal(parseCsv('a\tb\n1\t2', 'f').rows[0]?.get('b'), '2');
  });

  it('that is none, or is cut off, is reported', () => {
    assert.throws(() => parseCsv('', 'f.csv'), /f\.csv is no CSV file/);
    assert.throws(() => parseCsv('a,b\n1,"2', 'f.csv'), /line 2: a quote is not closed/);
  });
});

describe('an invoice', () => {
  it('has days, models, kinds, quantities and costs', () => {
    const bill = invoice(
      'Date,Model,Kind,Quantity,Cost,Project\n2026-11-01,gpt-4o,input_tokens,1000,0.0025,p1\n2026-11-02,gpt-4o,magic,7,$ 1.50,p1\n',
    );
    assert.deepEqual(bill.lines, [
      {
        day: '2026-11-01',
        kind: 'input_tokens',
        quantity: 1000,
        costUsd: 0.0025,
        model: 'gpt-4o',
        account: 'p1',
      },
      { day: '2026-11-02', costUsd: 1.5, model: 'gpt-4o', account: 'p1' },
    ]);
    assert.equal(bill.costDecimals, 4);
    assert.match(bill.notes.join(), /Quantities of "magic" were left out/);
  });

  it('has columns of any name, other currencies and months', () => {
    const bill = invoice(
      'Period;Betrag;Währung\n2026-11;10.50;EUR\n',
      'day=Period,cost=Betrag,currency=Währung',
    );
    assert.deepEqual(bill.lines, [{ day: '2026-11', costUsd: 10.5 * 1.1 }]);
  });

  for (const [text, day] of [
    ['2026-11-01', '2026-11-01'],
    ['2026-11-01T00:30:00+02:00', '2026-10-31'],
    ['2026-10-31 23:30:00.000-0700', '2026-11-01'],
    ['2026-11-01T05:29:59+05:30', '2026-10-31'],
    ['2026-11-01T05:30:00+05:30', '2026-11-01'],
    ['2026-11-01T00:00:00Z', '2026-11-01'],
    ['2026-11-01 00:00 UTC', '2026-11-01'],
    ['2026-11-01 23:59:59', '2026-11-01'],
  ] as const) {
    it(`has ${text} on the day ${day}`, () => {
      assert.equal(invoice(`day,cost\n${text},1\n`).lines[0]?.day, day);
    });
  }

  it('has amounts in the currency of their sign, where no column names another', () => {
    assert.equal(invoice('day,cost\n2026-11-01,€ 2\n').lines[0]?.costUsd, 2.2);
    assert.equal(invoice('day,cost\n2026-11-01,$2\n').lines[0]?.costUsd, 2);
    assert.throws(() => invoice('day,cost\n2026-11-01,£2\n'), /no rate of GBP/);
  });

  for (const [what, text, columns, message] of [
    [
      'a number that may mean two things',
      'day,cost\n2026-11-01,"1,234"\n',
      '',
      /bill\.csv, line 2: cost is "1,234"; it must be a number/,
    ],
    [
      'a day that is none',
      'day,cost\n01/11/2026,1\n',
      '',
      /line 2: day is "01\/11\/2026"; it must be a date/,
    ],
    ['a day that no month has', 'day,cost\n2026-02-30,1\n', '', /day is "2026-02-30"; it must be/],
    ['a zone that is a name', 'day,cost\n2026-11-01 00:30 PST,1\n', '', /PST"; it must be/],
    [
      'a column that is not there',
      'day,cost\n',
      'day=Tag',
      /no column for Tag; its columns are day, cost/,
    ],
    ['no column of costs', 'day,model\n2026-11-01,m\n', '', /no column for cost/],
    ['a currency without a rate', 'day,cost,currency\n2026-11-01,1,CHF\n', '', /no rate of CHF/],
  ] as const) {
    it(`reports ${what}`, () => {
      assert.throws(() => invoice(text, columns), message);
    });
  }

  it('reports a mapping of no known column', () => {
    assert.throws(() => parseInvoiceColumns('price=Cost'), /--columns is not valid/);
  });
});

describe('a FOCUS file', () => {
  const head =
    'ChargePeriodStart,ChargeCategory,BilledCost,BillingCurrency,ResourceName,SkuMeter,ConsumedQuantity';

  it('has the charges of usage, and names the others', () => {
    const bill = focusBill(
      `${head}\n2026-11-01T00:00:00Z,Usage,1.25,USD,gpt-4o,audio_cache_read_tokens,100\n` +
        '2026-11-01T00:00:00Z,Tax,0.20,USD,,,\n2026-11-02T00:00:00Z,Usage,2,EUR,gpt-4o,GPU Hours,3\n',
      { file: 'focus.csv', toUsd },
    );
    const of = { day: '2026-11-01', model: 'gpt-4o' };
    assert.deepEqual(bill.lines, [
      { ...of, costUsd: 1.25 },
      { ...of, kind: 'audio_cache_read_tokens', quantity: 100 },
      { ...of, kind: 'cache_read_tokens', quantity: 100 },
      { ...of, kind: 'input_tokens', quantity: 100 },
      { ...of, kind: 'audio_input_tokens', quantity: 100 },
      { day: '2026-11-02', model: 'gpt-4o', costUsd: 2.2, isUsageUnknown: true },
    ]);
    assert.deepEqual(bill.notes, ['Charges of the category Tax were left out: $0.20.']);
  });

  it('without its columns is none', () => {
    assert.throws(
      () => focusBill('a,b\n1,2\n', { file: 'f', toUsd }),
      /no column ChargePeriodStart, ChargeCategory/,
    );
  });
});
