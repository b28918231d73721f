import { parseArgs } from 'node:util';
import { resolveConfig } from '../../config/resolve.ts';
import { TokenMeterError } from '../../errors.ts';
import type { CliIo } from '../io.ts';
import { retentionSeconds } from './retention.ts';

const HELP = `Usage: otel-token-meter setup clickhouse [options]

Makes the database, the tables and the views of the configuration, and brings those of an earlier release up to date.
What is there already stays.

  --cluster NAME    Runs every statement ON CLUSTER NAME
  --replicated      Makes replicated tables
  --distributed     Makes llm_usage a distributed table over llm_usage_local of each shard; needs --cluster
  --retention TIME  How long calls are kept: 90d, 52w, or infinite (default: infinite for a new table; an existing one
                    is changed only when this is given). Sums of hours and days stay
  --dry-run         Prints the statements and runs none
  --json            Prints JSON
  --config FILE     The configuration (default: OTEL_CONFIG_FILE); CLICKHOUSE_URL, CLICKHOUSE_DATABASE and the others
                    count as for the application. CLICKHOUSE_ADMIN_USER and CLICKHOUSE_ADMIN_PASSWORD are used instead
                    of CLICKHOUSE_USER and CLICKHOUSE_PASSWORD where they are set

The user needs CREATE, ALTER, INSERT and SELECT on the database. The application needs INSERT and SELECT alone.
`;

const DAY_S = 86_400;

export async function runClickHouseSetup(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cluster: { type: 'string' },
      replicated: { type: 'boolean', default: false },
      distributed: { type: 'boolean', default: false },
      retention: { type: 'string' },
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
  const { clickhouse } = config.metrics;
  const { setUpClickHouse } = await import('otel-token-meter/exporter');
  const statements: string[] = [];
  const dryRun = values['dry-run'];
  const { timeoutMs: _ofWrites, ...access } = clickhouse;
  await setUpClickHouse({
    ...access,
    username: io.env['CLICKHOUSE_ADMIN_USER'] ?? clickhouse.username,
    password: io.env['CLICKHOUSE_ADMIN_PASSWORD'] ?? clickhouse.password,
    cluster: values.cluster,
    replicated: values.replicated,
    distributed: values.distributed,
    retentionDays: retentionDays(values.retention),
    dryRun,
    onStatement: (sql) => {
      statements.push(sql);
      if (!values.json) io.stdout.write(dryRun ? `${sql};\n\n` : `ok  ${titleOf(sql)}\n`);
    },
  });
  if (values.json) io.stdout.write(`${JSON.stringify({ statements }, undefined, 2)}\n`);
  return 0;
}

const titleOf = (sql: string): string => sql.split('\n', 1)[0] ?? '';

function retentionDays(text: string | undefined): number | undefined {
  const seconds = retentionSeconds(text);
  if (seconds === undefined || seconds % DAY_S === 0) return seconds && seconds / DAY_S;
  throw new TokenMeterError('INVALID_OPTION', '--retention of ClickHouse is in whole days', {
    value: text,
    allowed: 'days or weeks such as 90d, 52w, or infinite',
  });
}
