import { parseArgs } from 'node:util';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';
import { ledgerTarget } from './ledger-target.ts';
import { shownCount } from './shown-number.ts';

export const summary: string = 'sum up the closed hours of a ledger, or verify their sums';

const HELP = `Usage: otel-token-meter rollup [--verify] [options]

Makes the roll-ups of a ledger: sums of its closed hours and days, from which views over long ranges are
answered. The application makes them as it runs; this command is for a ledger that was written before
there were any, and for ranges that were imported. Roll-ups that are right are left alone, so the command
may be interrupted and run again, while the application writes.

  --verify         Also sum up hours again that have a roll-up, compare, and repair what differs
  --sqlite FILE    SQLite ledger (default: the ledger that the configuration writes)
  --since TIME, --until TIME   Limit the range: an age such as 30d, a date, or an RFC 3339 time
                   (InfluxDB 3 without --since: the last 90 days)
  --json           Print JSON
  --config FILE    YAML file (default: OTEL_CONFIG_FILE). INFLUX_URL, INFLUX_TOKEN, INFLUX_BUCKET and
                   the other variables apply as in the application

For InfluxDB the token needs permission to read and write. Exits with 1 when sums were wrong, which is
repaired by then.
`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      verify: { type: 'boolean', default: false },
      sqlite: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
      config: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const { store } = await ledgerTarget(values, io);
  if (store.rollUp === undefined) {
    throw new TokenMeterError('INVALID_OPTION', 'the ledger keeps its sums by itself', {
      value: store.where,
      allowed: 'a ledger whose roll-ups are made by this command',
    });
  }
  const { parseUsageTime } = await import('otel-token-meter/exporter');
  const time = async (text: string | undefined): Promise<Date | undefined> =>
    text === undefined ? undefined : await parseUsageTime(text);
  const [from, to] = [await time(values.since), await time(values.until)];
  const isWatched = io.stderr.isTTY === true;
  const result = await store.rollUp({
    verify: values.verify,
    ...(from && { from }),
    ...(to && { to }),
    onProgress: ({ done, hours, made }) => {
      if (!isWatched) return;
      const percent = hours === 0 ? 100 : Math.floor((done / hours) * 100);
      io.stderr.write(`\r${percent} %, ${shownCount(made)} hours made\u001B[K`);
    },
  });
  if (isWatched) io.stderr.write('\r\u001B[K');
  const exitCode = result.wrong > 0 ? 1 : 0;
  if (values.json) {
    io.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    return exitCode;
  }
  const { hours, made, wrong, open } = result;
  io.stdout.write(
    [
      `${shownCount(hours)} closed hours, ${shownCount(made)} of them made${values.verify ? ', all verified' : ''}`,
      ...(wrong > 0 ? [`${shownCount(wrong)} had wrong sums and were repaired`] : []),
      ...(open > 0 ? [`${shownCount(open)} hours are not closed yet: views read their calls`] : []),
      '',
    ].join('\n'),
  );
  return exitCode;
}
