import { parseArgs } from 'node:util';
import { TokenMeterError } from '../errors.ts';
import {
  acknowledge,
  type AlertsClient,
  alertsList,
  mute,
  testChannels,
  unmute,
} from './alerts-actions.ts';
import { APP_HELP, APP_OPTIONS, appAddress } from './app-address.ts';
import { AppClient, warnOfPlainHttp } from './app-client.ts';
import type { CliIo } from './io.ts';

export const summary: string = 'list, mute, acknowledge or test alerts of a running application';

const HELP = `Usage: otel-token-meter alerts list [--json] [options]
       otel-token-meter alerts mute RULE --for 2h [--note TEXT] [options]
       otel-token-meter alerts unmute RULE [options]
       otel-token-meter alerts ack ID [--note TEXT] [options]
       otel-token-meter alerts test [options]

list    Prints the rules, the alerts that are active with their ids, and the channels.
mute    Reports nothing of a rule for some time: minutes (30m), hours (2h) or days (7d). The end of
        what was reported still is. What lasts at the end of the mute is reported then.
unmute  Ends a mute.
ack     Somebody looks after an active alert: it is not repeated.
test    Sends a sample through every channel and prints what came back.

${APP_HELP}  --json            Print JSON
  --note TEXT       Why, for the history

Exits with 1 when the application refuses the request or cannot be reached, or a channel does not take
the sample.
`;

const ACTIONS: Readonly<
  Record<string, (client: AlertsClient, argument: string) => Promise<number>>
> = {
  list: alertsList,
  mute,
  unmute,
  ack: acknowledge,
  test: testChannels,
};
const WITHOUT_ARGUMENT: readonly string[] = ['list', 'test'];
const UNIT_MINUTES: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1440 };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...APP_OPTIONS,
      json: { type: 'boolean', default: false },
      for: { type: 'string' },
      note: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [name = '', ...rest] = positionals;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  const wanted = WITHOUT_ARGUMENT.includes(name) ? 0 : 1;
  if (values.help || action === undefined || rest.length !== wanted) {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const minutes = name === 'mute' ? minutesOf(values.for) : undefined;
  const app = new AppClient(await appAddress(values, io));
  warnOfPlainHttp(app, io);
  const { json, note } = values;
  return await action(
    {
      app,
      io,
      json,
      ...(minutes !== undefined && { minutes }),
      ...(note !== undefined && { note }),
    },
    rest[0] ?? '',
  );
}

function minutesOf(text = ''): number {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const minutes = Number(count) * (UNIT_MINUTES[unit] ?? Number.NaN);
  if (minutes >= 1) return minutes;
  throw new TokenMeterError('INVALID_OPTION', '--for is not valid', {
    value: text,
    allowed: 'a time such as 30m, 2h or 7d',
  });
}
