import { parseArgs } from 'node:util';
import { describeProblem, exportWantedBy, isStore, resolveConfig } from '../config/index.ts';
import { checkDestination } from './doctor/destination.ts';
import { note, problem, type Finding } from './doctor/finding.ts';
import { checkHost } from './doctor/host.ts';
import { checkModelSdks } from './doctor/model-sdks.ts';
import { checkOtlp } from './doctor/otlp.ts';
import { checkBudgets } from './doctor/budgets.ts';
import { checkSettings } from './doctor/settings.ts';
import { checkTelemetrySdk } from './doctor/telemetry-sdk.ts';
import type { CliIo } from './io.ts';

export const summary: string =
  'check that calls of this application are metered and where records go';

const HELP = `Usage: otel-token-meter doctor [--config FILE] [--json] [--no-write] [--send-backlog]

Checks Node, OpenTelemetry, the LLM SDKs, the configuration, the destination of records, the live
settings and the running instances. Run it in the application's folder and environment.

  --config FILE  YAML file (default: OTEL_CONFIG_FILE)
  --no-write     Do not write and read back a test record (service "otel-token-meter doctor", which
                 no report shows)
  --send-backlog Send records that are queued for a previous destination to the configured one
  --json         Print JSON

Exits with 1 when there are problems.
`;

const SIGNS = { ok: 'ok', note: '--', warning: '! ', problem: 'X ' } as const;

export async function run(
  args: readonly string[],
  io: CliIo,
  cwd: string = process.cwd(),
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string' },
      write: { type: 'boolean', default: true },
      'send-backlog': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowNegative: true,
  });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const resolved = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  const config = resolved.values;
  const findings: Finding[] = [];
  const add = (more: readonly Finding[]): void => {
    findings.push(...more);
    if (!values.json) for (const finding of more) io.stdout.write(line(finding));
  };
  // As the preload decides: standard variables ask for an export too.
  const isExported = exportWantedBy(resolved, io.env) !== undefined;
  const isStored = isStore(config.metrics.provider);
  const provider = isExported && !isStored ? 'otlp' : config.metrics.provider;
  add(checkHost(cwd, io.env));
  if (!config.enabled) add([note('switch', 'the instrumentation is disabled (key enabled)')]);
  add(checkTelemetrySdk(cwd, isExported ? 'otlp' : provider, io.env));
  add(await checkModelSdks(cwd));
  add(resolved.problems.map((wrong) => problem('configuration', describeProblem(wrong))));
  const sendBacklog = values['send-backlog'];
  const { write } = values;
  const metrics = { ...config.metrics, provider };
  add(await checkDestination({ config: metrics, env: io.env, cwd, write, sendBacklog }));
  if (isExported && isStored) add(await checkOtlp(io.env));
  add(await checkSettings(config.settings));
  add(await checkBudgets(config));
  const problems = findings.filter(({ state }) => state === 'problem').length;
  const warnings = findings.filter(({ state }) => state === 'warning').length;
  if (values.json) {
    io.stdout.write(`${JSON.stringify({ healthy: problems === 0, findings }, undefined, 2)}\n`);
  } else {
    io.stdout.write(
      problems === 0
        ? `\nCalls are metered and recorded${warnings === 0 ? '' : `; warnings: ${warnings}`}.\n`
        : `\nProblems: ${problems}.\n`,
    );
  }
  return problems === 0 ? 0 : 1;
}

function line({ state, check, says }: Finding): string {
  return `${SIGNS[state]}  ${check.padEnd(14)} ${says}\n`;
}
