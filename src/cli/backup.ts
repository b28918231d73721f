import { parseArgs } from 'node:util';
import type { CliIo } from './io.ts';
import { ledgerTarget } from './ledger-target.ts';
import { shownCount } from './shown-number.ts';

export const summary: string = 'copy the SQLite ledger while it is in use';

const HELP = `Usage: otel-token-meter backup FILE [--sqlite LEDGER] [options]

Copies the ledger as it stands at one moment, while the application writes to it. FILE appears whole or not at
all, and only its owner may read it. Of a damaged ledger everything that can be read is copied.

  --sqlite LEDGER  This ledger file (default: where the configuration writes)
  --force          Replaces FILE
  --json           Prints JSON
  --config FILE    The configuration (default: OTEL_CONFIG_FILE)

To restore: stop the application, put FILE in the place of the ledger, remove LEDGER-wal and LEDGER-shm.
Exit code 1 when the ledger is damaged or cannot be copied. InfluxDB has its own: influx backup, influxd backup.
`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      sqlite: { type: 'string' },
      config: { type: 'string' },
      force: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [to] = positionals;
  if (values.help || to === undefined || positionals.length > 1) {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const { store } = await ledgerTarget(values, io);
  const { file } = store;
  if (file === undefined) {
    io.stderr.write(
      `otel-token-meter backup: the ledger is not a file (${store.where}): use the backup command of that server\n`,
    );
    return 1;
  }
  const { backupLedger } = await import('otel-token-meter/exporter');
  const isWatched = io.stderr.isTTY === true;
  const { records, bytes, isDamaged } = await backupLedger({
    path: file,
    to,
    overwrite: values.force,
    onProgress: (done, total) => {
      if (!isWatched) return;
      const share =
        total === undefined
          ? `${shownCount(done)} calls`
          : `${Math.floor((done / Math.max(total, 1)) * 100)} %`;
      io.stderr.write(`\r${share}\u001B[K`);
    },
  });
  if (isWatched) io.stderr.write('\r\u001B[K');
  if (values.json) {
    const document = { ledger: file, file: to, records, bytes, damaged: isDamaged };
    io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  } else {
    io.stdout.write(`${shownCount(records)} calls, ${shownCount(bytes)} bytes in ${to}\n`);
    if (isDamaged) {
      io.stderr.write(`${file} is damaged: ${to} holds what could be read of it\n`);
    }
  }
  return isDamaged ? 1 : 0;
}
