import { parseArgs } from 'node:util';
import { TokenMeterError } from '../errors.ts';
import { compareLedgers, lacksOnly } from './copy/compare-ledgers.ts';
import { copyRecords } from './copy/copy-records.ts';
import {
  type CopyProgress,
  CopyState,
  countOf,
  DECISIONS,
  type LeftOut,
} from './copy/copy-state.ts';
import { namedLedger } from './copy/named-ledger.ts';
import type { CliIo } from './io.ts';
import { shownCount } from './shown-number.ts';

export const summary: string = 'copy a ledger into another store, and compare the sums';

const HELP = `Usage: otel-token-meter copy --from STORE --to STORE [options]

Copies every call from one ledger into another, newest first, and compares the sums of each day afterwards. Both may
be in use meanwhile: calls that come after the start are not copied. A copy that was cut goes on where it was. Calls of
a time that the target does not keep are left out and counted; of users whom a SQLite ledger has erased, too.

  --from STORE, --to STORE   sqlite[:FILE], influxdb[:URL] or clickhouse[:URL]; what is left out comes from the
                   configuration and its variables. Tables of ClickHouse are made by setup clickhouse before
  --since TIME, --until TIME   Only these calls: an age such as 30d, a date, an RFC 3339 time (default: all until now)
  --state FILE     Where the progress is kept until the copy is complete (default: token-meter-copy.json)
  --verify         Copies nothing, only compares
  --json           Prints JSON
  --config FILE    The configuration (default: OTEL_CONFIG_FILE)

The environment of a call (tag or column) is not part of a record and is not copied. Exit code 1 when sums differ by
more than what was left out.
`;

const MAX_SHOWN = 20;
const WHY: Readonly<Record<keyof LeftOut, string>> = {
  erased: 'their user was erased',
  beyond_retention: 'calls of their time are not kept',
};

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      from: { type: 'string' },
      to: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
      state: { type: 'string', default: 'token-meter-copy.json' },
      verify: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      config: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || values.from === undefined || values.to === undefined) {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const { parseUsageTime } = await import('otel-token-meter/exporter');
  const source = await namedLedger('--from', values.from, values.config, io);
  const target = await namedLedger('--to', values.to, values.config, io);
  if (source.where === target.where) {
    throw new TokenMeterError('INVALID_OPTION', '--from and --to are the same ledger', {
      value: source.where,
      allowed: 'two ledgers',
    });
  }
  const time = async (text: string | undefined, fallback: Date): Promise<string> =>
    (text === undefined ? fallback : await parseUsageTime(text)).toISOString();
  const asked: CopyProgress = {
    from: source.where,
    to: target.where,
    since: await time(values.since, new Date(0)),
    until: await time(values.until, new Date()),
    calls: 0,
    isComplete: false,
  };
  const state = new CopyState(values.state);
  const reader = source.reader();
  const written = target.reader();
  try {
    let progress = asked;
    if (!values.verify) {
      const processor = target.processor();
      try {
        const start = resumed(state.read(), asked, values);
        progress = await copyRecords(reader, processor, start, (now) => {
          state.write(now);
          if (io.stderr.isTTY === true) io.stderr.write(`\r${shownCount(now.calls)} calls\u001B[K`);
        });
      } finally {
        await processor.shutdown();
        if (io.stderr.isTTY === true) io.stderr.write('\r\u001B[K');
      }
    }
    const range = { from: new Date(progress.since), to: new Date(progress.until) };
    const differences = await compareLedgers(reader, written, range);
    const { leftOut } = progress;
    const isAsMeant = lacksOnly(differences, countOf(leftOut));
    if (isAsMeant) state.remove();
    if (values.json) {
      const { since, until } = progress;
      const document = {
        from: source.where,
        to: target.where,
        since,
        until,
        calls: progress.calls - countOf(leftOut),
        ...(leftOut !== undefined && { leftOut }),
        differences,
      };
      io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    } else {
      if (!values.verify) {
        io.stdout.write(`${shownCount(progress.calls - countOf(leftOut))} calls copied\n`);
        for (const reason of DECISIONS) {
          const calls = leftOut?.[reason] ?? 0;
          if (calls === 0) continue;
          io.stdout.write(
            `${shownCount(calls)} left out, since ${WHY[reason]} in ${target.where}\n`,
          );
        }
      }
      const shown = isAsMeant ? [] : differences;
      for (const { day, sum, from = 'none', to = 'none' } of shown.slice(0, MAX_SHOWN)) {
        io.stdout.write(`${day} ${sum}: ${from} in ${source.where}, ${to} in ${target.where}\n`);
      }
      const rest = shown.length - MAX_SHOWN;
      if (rest > 0) io.stdout.write(`and ${rest} more\n`);
      if (isAsMeant) {
        const but = differences.length === 0 ? '' : ', without the calls that were left out';
        io.stdout.write(`the sums of every day are equal${but}\n`);
      }
    }
    return isAsMeant ? 0 : 1;
  } finally {
    await reader.close();
    await written.close();
  }
}

/** Where the copy of these ledgers was cut; the range is the one that it began with. */
function resumed(
  before: CopyProgress | undefined,
  asked: CopyProgress,
  {
    state,
    since,
    until,
  }: { state: string; since?: string | undefined; until?: string | undefined },
): CopyProgress {
  if (before === undefined) return asked;
  const isSame =
    before.from === asked.from &&
    before.to === asked.to &&
    (since === undefined ? before.since === asked.since : true) &&
    (until === undefined || before.until === asked.until);
  // From its beginning, where the sums differed at the end.
  if (isSame) return before.isComplete ? { ...asked, until: before.until } : before;
  throw new TokenMeterError('INVALID_OPTION', `${state} is the state of another copy`, {
    value: `${before.from} to ${before.to}`,
    allowed: 'the same ledgers and times, or another --state',
  });
}
