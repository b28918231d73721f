import { parseArgs } from 'node:util';
import type { EraseResult } from 'otel-token-meter/exporter';
import { hashedUserId } from '../usage/build-record.ts';
import { confirm } from './confirm.ts';
import type { CliIo } from './io.ts';
import { ledgerTarget } from './ledger-target.ts';
import { shownCount } from './shown-number.ts';

export const summary: string = 'delete every recorded call of one user';

const HELP = `Usage: otel-token-meter erase --user ID [--dry-run | --yes] [options]

Deletes the calls of one user from the ledger and takes them out of its sums. This cannot be undone: run it with
--dry-run first, and keep a copy with export where you have to.

  --user ID        The user as the application names it; hashed first where user_id_hash_key is set
  --dry-run        Only counts the calls
  --yes            Does not ask
  --sqlite FILE    This ledger file (default: where the configuration writes)
  --json           Prints JSON
  --config FILE    The configuration (default: OTEL_CONFIG_FILE)

InfluxDB 1.x and 2.x delete by their own API; the calls of users beyond maxUserTags go one by one, which takes its
time; on 1.x in every retention policy of the database. InfluxDB 3 cannot delete single records. Calls that wait in
a spool of this machine are dropped when it is their turn; folders of other destinations are named. Calls made after
it began stay. Dead letters, backups and exports are not looked at. Exit code 1 when calls are left.
`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      user: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      yes: { type: 'boolean', short: 'y', default: false },
      sqlite: { type: 'string' },
      config: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { user, json } = values;
  if (values.help || user === undefined || user === '') {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const { store, userIdHashKey } = await ledgerTarget(values, io);
  const userId = hashedUserId(user, userIdHashKey);
  if (values['dry-run']) return report(await store.erase({ userId, dryRun: true }), io, json);
  if (!values.yes) {
    const { found } = await store.erase({ userId, dryRun: true });
    const { where } = store;
    const answer = await confirm(`Delete ${shownCount(found)} calls from ${where}?`, io);
    if (answer === undefined) {
      io.stderr.write(
        `otel-token-meter erase: ${shownCount(found)} calls would be deleted from ${where}; add --yes to do it\n`,
      );
      return 2;
    }
    if (!answer) return 1;
  }
  const isWatched = io.stderr.isTTY === true;
  const result = await store.erase({
    userId,
    onProgress: (erased, found) => {
      if (isWatched) io.stderr.write(`\r${shownCount(erased)} of ${shownCount(found)}\u001B[K`);
    },
  });
  if (isWatched) io.stderr.write('\r\u001B[K');
  report(result, io, json);
  for (const { folder, destination, lines, isCurrent } of (await store.backlogs?.()) ?? []) {
    if (isCurrent) continue;
    const { url = 'another server', bucket = '' } = destination;
    io.stderr.write(
      `${shownCount(lines)} records wait in ${folder} for ${url} ${bucket}: those of this user are sent there; erase there as well\n`,
    );
  }
  return result.erased < result.found ? 1 : 0;
}

function report({ found, erased, mayRemain }: EraseResult, io: CliIo, json: boolean): number {
  if (json) {
    const document = { found, erased, may_remain: mayRemain };
    io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    return 0;
  }
  io.stdout.write(`${shownCount(found)} calls found, ${shownCount(erased)} deleted\n`);
  for (const file of mayRemain) io.stderr.write(`calls of this user may still be in ${file}\n`);
  return 0;
}
