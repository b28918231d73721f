import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { hashedUserId } from '../usage/build-record.ts';
import { writeFocus } from './export/focus.ts';
import type { CliIo } from './io.ts';
import { ledgerTarget } from './ledger-target.ts';
import { loadPrices } from './price-options.ts';
import { reconcileRange } from './reconcile/range.ts';
import { shownCount } from './shown-number.ts';
import { SOURCE_HELP, SOURCE_OPTIONS } from './usage-source.ts';

export const summary: string =
  'write every recorded call of one user as JSON lines, or costs for finance as FOCUS';

const HELP = `Usage: otel-token-meter export --user ID [--out FILE] [options]
       otel-token-meter export --format focus --billing-account ID [--month YYYY-MM] [options]

Writes the calls of one user, newest first, one JSON object a line. Or the costs of a month as FOCUS 1.2, by
day, model, kind of usage and unit price.

  --user ID        The user as the application names it; hashed first where user_id_hash_key is set
  --out FILE       Into this new file, which only its owner may read (default: stdout)
  --since TIME, --until TIME   Only these calls: an age such as 30d, a date, an RFC 3339 time
                   (InfluxDB 3 without --since: the last 90 days). For FOCUS whole days in UTC
  --format NAME    jsonl (default) or focus
  --month YYYY-MM  Month of a FOCUS file (default: the previous one)
  --billing-account ID, --billing-account-name NAME   The account that the provider bills
  --tags NAMES     team, dimension.NAME and attributes of the records that become tags of a FOCUS file,
                   separated by commas
  --prices FILE    Price file of unit prices (default: from the configuration)
${SOURCE_HELP}`;

/** The most that a reader gives at once. */
const PAGE = 1000;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      user: { type: 'string' },
      out: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
      format: { type: 'string', default: 'jsonl' },
      month: { type: 'string' },
      'billing-account': { type: 'string' },
      'billing-account-name': { type: 'string' },
      tags: { type: 'string', default: '' },
      prices: { type: 'string' },
      ...SOURCE_OPTIONS,
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const account = values['billing-account'] ?? '';
  const isFocus = values.format === 'focus';
  const isUser = values.format === 'jsonl' && values.user !== undefined && values.user !== '';
  if (values.help || !(isUser || (isFocus && account !== '' && values.user === undefined))) {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  if (isFocus) return await exportFocus(values, account, io);
  return await exportUser({ ...values, user: values.user ?? '' }, io);
}

interface ExportValues {
  readonly out?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly sqlite?: string | undefined;
  readonly config?: string | undefined;
}

async function exportUser(
  values: ExportValues & { readonly user: string },
  io: CliIo,
): Promise<number> {
  const { parseUsageTime, usageJson, withUnits } = await import('otel-token-meter/exporter');
  const { store, userIdHashKey } = await ledgerTarget(values, io);
  const user = hashedUserId(values.user, userIdHashKey);
  const range = {
    ...(values.since !== undefined && { from: await parseUsageTime(values.since) }),
    ...(values.until !== undefined && { to: await parseUsageTime(values.until) }),
  };
  const reader = store.reader();
  const out = values.out === undefined ? io.stdout : await newFile(values.out);
  let calls = 0;
  try {
    let cursor: string | undefined;
    do {
      const page = await reader.records({
        ...range,
        filter: { user },
        limit: PAGE,
        ...(cursor !== undefined && { cursor }),
      });
      const lines = page.records.map(
        (record) => `${JSON.stringify(usageJson(withUnits(record)))}\n`,
      );
      await write(out, lines.join(''));
      calls += page.records.length;
      if (io.stderr.isTTY === true) io.stderr.write(`\r${shownCount(calls)} calls\u001B[K`);
      cursor = page.cursor;
    } while (cursor !== undefined);
  } finally {
    await reader.close();
    if (out !== io.stdout) {
      out.end();
      await finished(out);
    }
  }
  if (io.stderr.isTTY === true) io.stderr.write('\r\u001B[K');
  io.stderr.write(`${shownCount(calls)} calls\n`);
  return 0;
}

interface FocusValues extends ExportValues {
  readonly month?: string | undefined;
  readonly 'billing-account-name'?: string | undefined;
  readonly tags: string;
  readonly prices?: string | undefined;
}

async function exportFocus(values: FocusValues, id: string, io: CliIo): Promise<number> {
  const range = await reconcileRange(values, new Date());
  const { store, ...configured } = await ledgerTarget(values, io);
  const prices = await loadPrices(configured, io, values.prices);
  const reader = store.reader();
  const out = values.out === undefined ? io.stdout : await newFile(values.out);
  const name = values['billing-account-name'];
  try {
    const totals = await writeFocus({
      reader,
      prices,
      ...range,
      account: { id, ...(name !== undefined && { name }) },
      tags: values.tags.split(',').filter((tag) => tag !== ''),
      write: (text) => write(out, text),
      onProgress: (calls) => {
        if (io.stderr.isTTY === true) io.stderr.write(`\r${shownCount(calls)} calls\u001B[K`);
      },
    });
    if (io.stderr.isTTY === true) io.stderr.write('\r\u001B[K');
    io.stderr.write(`${shownCount(totals.calls)} calls\n`);
    if (totals.unpricedCalls > 0) {
      io.stderr.write(
        `${shownCount(totals.unpricedCalls)} calls have no cost and are not in the file\n`,
      );
    }
    if (totals.partialCostCalls > 0) {
      io.stderr.write(
        `The cost is at least what is in the file: ${shownCount(totals.partialCostCalls)} calls have parts without a price\n`,
      );
    }
  } finally {
    await reader.close();
    if (out !== io.stdout) {
      out.end();
      await finished(out);
    }
  }
  return 0;
}

async function newFile(path: string): Promise<Writable> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  await new Promise((resolve, reject) => {
    file.once('open', resolve);
    file.once('error', reject);
  });
  return file;
}

/** Waits for a slow pipe: an export of any size takes one page of memory. */
async function write(out: Writable, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    out.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
