import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { hashedUserId } from '../usage/build-record.ts';
import type { CliIo } from './io.ts';
import { ledgerTarget } from './ledger-target.ts';
import { shownCount } from './shown-number.ts';
import { SOURCE_HELP, SOURCE_OPTIONS } from './usage-source.ts';

export const summary: string = 'write every recorded call of one user as JSON lines';

const HELP = `Usage: otel-token-meter export --user ID [--out FILE] [options]

Writes the calls of one user, newest first, one JSON object a line.

  --user ID        The user as the application names it; hashed first where user_id_hash_key is set
  --out FILE       Into this new file, which only its owner may read (default: stdout)
  --since TIME, --until TIME   Only these calls: an age such as 30d, a date, an RFC 3339 time
                   (InfluxDB 3 without --since: the last 90 days)
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
      ...SOURCE_OPTIONS,
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || values.user === undefined || values.user === '') {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const { parseUsageTime, usageJson } = await import('otel-token-meter/exporter');
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
      const lines = page.records.map((record) => `${JSON.stringify(usageJson(record))}\n`);
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
