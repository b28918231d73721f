import { parseArgs } from 'node:util';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';
import { APP_HELP, APP_OPTIONS, appAddress } from './app-address.ts';
import { warnOfPlainHttp } from './app-client.ts';
import { SettingsClient } from './settings-client.ts';
import { changesOf, setSettings } from './settings-set.ts';
import { watchSettings } from './settings-watch.ts';
import { textTable } from './text-table.ts';

export const summary: string = 'read, change or watch the live switches of a running application';

const HELP = `Usage: otel-token-meter settings get [options]
       otel-token-meter settings set KEY=VALUE… [--for TIME] [--reason TEXT] [--if-version N] [--wait]
                                      [options]
       otel-token-meter settings watch [--once] [options]

get    Prints the current settings, their version, and whether they are stale.
set    Changes settings on all instances. VALUE is true, on, false, off, a number, a string, or default.
watch  Prints changes as they happen. Reconnects when the application restarts.

${APP_HELP}  --json            Print JSON
  --for TIME        End the change by itself after 90m, 2h or 3d; what was before comes back
  --reason TEXT     Reason, for the audit log
  --if-version N    Fail unless the settings are at this version
  --wait            Wait until every instance applies the change (--timeout SECONDS, default 30)
  --once            Exit after the first change

Exits with 1 when the application refuses the request, cannot be reached, or an instance does not
apply the change in time.
`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...APP_OPTIONS,
      json: { type: 'boolean', default: false },
      for: { type: 'string' },
      reason: { type: 'string' },
      'if-version': { type: 'string' },
      wait: { type: 'boolean', default: false },
      timeout: { type: 'string', default: '30' },
      once: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [action, ...rest] = positionals;
  const known = action === 'get' || action === 'set' || action === 'watch';
  if (values.help || !known || (action !== 'set' && rest.length > 0)) {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const client = new SettingsClient(await appAddress(values, io));
  warnOfPlainHttp(client, io);
  if (action === 'watch') {
    return await watchSettings(client, io, { json: values.json, once: values.once });
  }
  if (action === 'set') {
    return await setSettings(client, io, {
      changes: changesOf(rest),
      json: values.json,
      ...(values.for !== undefined && { until: endAfter(values.for) }),
      ...(values.reason !== undefined && { reason: values.reason }),
      ...(values['if-version'] !== undefined && { ifVersion: values['if-version'] }),
      ...(values.wait && { waitMs: waitOf(values.timeout) }),
    });
  }
  return await printSettings(client, io, values.json);
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function endAfter(text: string): string {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  if (unit !== undefined && Number(count) > 0) {
    return new Date(
      Date.now() + Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS],
    ).toISOString();
  }
  throw new TokenMeterError('INVALID_OPTION', '--for is not valid', {
    value: text,
    allowed: 'a time such as 90m, 2h or 3d',
  });
}

function waitOf(seconds: string): number {
  if (/^\d{1,5}$/.test(seconds)) return Number(seconds) * 1000;
  throw new TokenMeterError('INVALID_OPTION', '--timeout is not valid', {
    allowed: 'whole seconds',
  });
}

async function printSettings(client: SettingsClient, io: CliIo, json: boolean): Promise<number> {
  const { settings, version, staleSince } = await client.get();
  if (json) io.stdout.write(`${JSON.stringify({ version, settings, stale_since: staleSince })}\n`);
  else {
    const rows = Object.entries(settings).map(([key, value]) => [key, String(value)]);
    io.stdout.write(`${textTable(['setting', 'value'], rows)}version ${version}\n`);
  }
  if (staleSince !== undefined) {
    io.stderr.write(`stale: the application has lost its settings store since ${staleSince}\n`);
  }
  return 0;
}
