import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveConfig } from '../../config/resolve.ts';
import { TokenMeterError } from '../../errors.ts';
import { makeFolderSync } from '../../host/make-folder.ts';
import { shownUrl } from '../influx-server.ts';
import type { CliIo } from '../io.ts';
import { setUpInflux } from './influx.ts';
import type { SetupStep } from './influx-setup.ts';
import { retentionSeconds } from './retention.ts';

const HELP = `Usage: otel-token-meter setup influxdb [options]

Makes the bucket (database) of the configuration with its retention, and the DBRP mapping that queries need. With
rollup_bucket it makes that one as well. What is there already stays; what the token may not do is named, with the
right that is missing.

  --retention TIME  How long records are kept: 24h, 90d, 52w, or infinite (default: infinite for a new bucket; an
                    existing one is changed only when this is given)
  --rollup-retention TIME
                    How long sums are kept in rollup_bucket, in the same way
  --make-token      Makes a token that may read and write these buckets alone, and prints it (2.x)
  --token-file FILE Writes that token to FILE, for INFLUX_TOKEN_FILE of the application. A token that is in FILE
                    already and accepted by the server stays. 3.x makes no such tokens: FILE gets the one in use
  --dry-run         Says what would be done
  --json            Prints JSON
  --config FILE     The configuration (default: OTEL_CONFIG_FILE); INFLUX_URL, INFLUX_ORG, INFLUX_BUCKET and
                    INFLUX_ROLLUP_BUCKET count as for the application. INFLUX_ADMIN_TOKEN is used instead of
                    INFLUX_TOKEN where it is set

Exit code 1 when something is missing.
`;

const SIGNS = { done: 'ok', planned: '->', missing: 'X ' } as const;

export async function runInfluxSetup(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      retention: { type: 'string' },
      'rollup-retention': { type: 'string' },
      'make-token': { type: 'boolean', default: false },
      'token-file': { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      config: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const { values: config } = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  const { influxdb } = config.metrics;
  const { bucket, rollUpBucket } = influxdb;
  const rollUpRetention = values['rollup-retention'];
  if (rollUpRetention !== undefined && rollUpBucket === undefined) {
    throw new TokenMeterError('INVALID_OPTION', '--rollup-retention needs a bucket of roll-ups', {
      value: rollUpRetention,
      allowed: 'with rollup_bucket (INFLUX_ROLLUP_BUCKET)',
    });
  }
  const ofRollUps = {
    bucket: rollUpBucket ?? '',
    retentionSeconds: retentionSeconds(rollUpRetention, '--rollup-retention'),
  };
  const token = io.env['INFLUX_ADMIN_TOKEN'] ?? influxdb.token;
  const tokenFile = values['token-file'];
  const madeBefore = tokenFile === undefined ? undefined : readToken(tokenFile);
  const { influxClient } = await import('otel-token-meter/exporter');
  const client = await influxClient({ ...influxdb, token });
  const steps: SetupStep[] = [];
  const add = (step: SetupStep): void => {
    steps.push(step);
    if (!values.json) io.stdout.write(`${SIGNS[step.state]}  ${step.says}\n`);
  };
  const dryRun = values['dry-run'];
  const made = await setUpInflux({
    ...influxdb,
    client,
    url: shownUrl(influxdb.url),
    ...(token !== undefined && { token }),
    buckets: [
      { bucket, retentionSeconds: retentionSeconds(values.retention) },
      ...(rollUpBucket === undefined ? [] : [ofRollUps]),
    ],
    makeToken: tokenFile !== undefined ? 'once' : values['make-token'] ? 'new' : undefined,
    madeBefore,
    dryRun,
    add,
  });
  if (tokenFile !== undefined && made !== undefined && made !== madeBefore && !dryRun) {
    writeToken(tokenFile, made);
  }
  const shown = tokenFile === undefined ? made : undefined;
  if (values.json) {
    const document = { steps, ...(shown !== undefined && { token: shown }) };
    io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  } else if (shown !== undefined) {
    io.stdout.write(`\nINFLUX_TOKEN=${shown}\n`);
  }
  return steps.some(({ state }) => state === 'missing') ? 1 : 0;
}

function readToken(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** As a whole, or not at all. */
function writeToken(path: string, token: string): void {
  const temporary = `${path}.${process.pid}`;
  makeFolderSync(dirname(path), 0o700);
  writeFileSync(temporary, `${token}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}
