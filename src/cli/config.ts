import { parseArgs } from 'node:util';
import { configJsonSchema } from '../config/json-schema.ts';
import { shownValue } from '../config/mask.ts';
import { describeProblem } from '../config/problem.ts';
import { resolveConfig } from '../config/resolve.ts';
import type { EffectiveSetting, Origin } from '../config/effective-setting.ts';
import type { CliIo } from './io.ts';
import { textTable } from './text-table.ts';

export const summary: string = 'print the effective configuration and the source of each value';

const HELP = `Usage: otel-token-meter config print [--config FILE] [--json]
       otel-token-meter config schema

print   Prints every setting with its value and its source. Options set in code are not included.
schema  Prints the JSON Schema of our blocks in otel.config.yaml.

  --config FILE  YAML file (default: OTEL_CONFIG_FILE)
  --json         Print JSON

Exits with 1 when a value is invalid.
`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [action] = positionals;
  if (action === 'schema') {
    io.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
    return 0;
  }
  if (values.help || action !== 'print') {
    (values.help ? io.stdout : io.stderr).write(HELP);
    return values.help ? 0 : 2;
  }
  const resolved = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  if (values.json) {
    const settings = resolved.settings.map((one) => ({
      key: one.setting.key,
      value: shownValue(one) ?? null,
      origin: one.origin,
    }));
    io.stdout.write(`${JSON.stringify({ settings, problems: resolved.problems }, undefined, 2)}\n`);
  } else {
    io.stdout.write(textTable(['setting', 'value', 'source'], resolved.settings.map(row)));
    for (const problem of resolved.problems)
      io.stderr.write(`invalid: ${describeProblem(problem)}\n`);
  }
  return resolved.problems.length === 0 ? 0 : 1;
}

function row(one: EffectiveSetting): readonly string[] {
  const value = shownValue(one);
  const unit = one.setting.kind.type === 'seconds' ? ' ms' : '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return [
    one.setting.key,
    value === undefined ? '-' : `${text}${unit}`,
    describeOrigin(one.origin),
  ];
}

function describeOrigin(origin: Origin): string {
  if (origin.from === 'env') return origin.variable;
  return origin.from === 'file' ? `${origin.file}:${origin.line}` : origin.from;
}
