import { parseArgs } from 'node:util';
import { describeProblem, resolveConfig } from '../config/index.ts';
import { checkDestination } from './doctor/destination.ts';
import { problem, type Finding } from './doctor/finding.ts';
import { checkHost } from './doctor/host.ts';
import { checkModelSdks } from './doctor/model-sdks.ts';
import { checkSettings } from './doctor/settings.ts';
import { checkTelemetrySdk } from './doctor/telemetry-sdk.ts';
import type { CliIo } from './io.ts';

export const summary: string =
  'tell whether calls of this application would be seen, and where they go';

const HELP = `Usage: otel-token-meter doctor [--config FILE] [--json] [--no-write] [--send-backlog]

Run it in the application's folder, with the application's environment. Looks at Node, OpenTelemetry,
the LLM SDKs, the configuration, the place where records go, the settings and the running instances.

  --config FILE  The YAML file (default: OTEL_CONFIG_FILE)
  --no-write     Leaves out the test record (service "otel-token-meter doctor", in no report) that is
                 written and read back
  --send-backlog Records that wait in the spool for another destination, after its address was changed, are
                 sent to the configured one
  --json         Prints JSON

Exit code 1 when something has to be put right.
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
  add(checkHost(cwd, io.env));
  add(checkTelemetrySdk(cwd, config.metrics.provider, io.env));
  add(await checkModelSdks(cwd));
  add(resolved.problems.map((wrong) => problem('configuration', describeProblem(wrong))));
  const sendBacklog = values['send-backlog'];
  const { write } = values;
  add(await checkDestination({ config: config.metrics, env: io.env, cwd, write, sendBacklog }));
  add(await checkSettings(config.settings));
  const problems = findings.filter(({ state }) => state === 'problem').length;
  const warnings = findings.filter(({ state }) => state === 'warning').length;
  if (values.json) {
    io.stdout.write(`${JSON.stringify({ healthy: problems === 0, findings }, undefined, 2)}\n`);
  } else {
    io.stdout.write(
      problems === 0
        ? `\nCalls are seen and recorded${warnings === 0 ? '' : `; ${warnings} to look at`}.\n`
        : `\n${problems} to put right.\n`,
    );
  }
  return problems === 0 ? 0 : 1;
}

function line({ state, check, says }: Finding): string {
  return `${SIGNS[state]}  ${check.padEnd(14)} ${says}\n`;
}
