import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Time and memory that each takes before the first call, over the same program without it. */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    /** A further preload to compare with, as `before=/path/of/another/build/register.js`. */
    also: { type: 'string', multiple: true, default: [] },
  },
});

interface Start {
  readonly name: string;
  /** Package of `bench/` whose version stands in the table. */
  readonly package?: string;
  readonly preload?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Figures {
  readonly ready: number;
  readonly cpu: number;
  readonly rss: number;
}

const FOLDER = fileURLToPath(new URL('./startup/', import.meta.url));
const preload = (name: string): string => join(FOLDER, 'preloads', name);

function instrumentation(name: string, packageName: string): Start {
  return {
    name,
    package: packageName,
    preload: preload('openai-instrumentation.mjs'),
    env: { BENCH_PACKAGE: packageName },
  };
}

const STARTS: readonly Start[] = [
  { name: 'bare' },
  { name: 'otel-token-meter', preload: 'otel-token-meter/register' },
  ...options.also.map((also): Start => {
    const [name = '', file = ''] = also.split('=');
    return { name, preload: file };
  }),
  instrumentation('OTel contrib', '@opentelemetry/instrumentation-openai'),
  instrumentation('OpenInference', '@arizeai/openinference-instrumentation-openai'),
  instrumentation('OpenLLMetry', '@traceloop/instrumentation-openai'),
  { name: 'Langfuse', package: '@langfuse/openai', preload: preload('langfuse.mjs') },
  {
    name: 'OpenLIT',
    package: 'openlit',
    preload: preload('openlit.mjs'),
    env: {
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    },
  },
  { name: 'Sentry', package: '@sentry/node', preload: preload('sentry.mjs') },
  {
    name: 'dd-trace',
    package: 'dd-trace',
    preload: 'dd-trace/initialize.mjs',
    env: {
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      DD_REMOTE_CONFIGURATION_ENABLED: 'false',
      DD_TRACE_STARTUP_LOGS: 'false',
    },
  },
];

function run({ preload: file, env }: Start): Figures {
  const flags = file === undefined ? [] : ['--import', file];
  const output = execFileSync(process.execPath, [...flags, join(FOLDER, 'app.mjs')], {
    cwd: FOLDER,
    env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Figures;
}

function versionOf({ package: name, preload: file }: Start): string {
  if (name === undefined && file !== 'otel-token-meter/register') return '';
  const path = name === undefined ? '../package.json' : `node_modules/${name}/package.json`;
  const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return version;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const measured = STARTS.map((start) => ({ start, runs: [] as Figures[] }));
for (let round = 0; round < Number(options.rounds); round++) {
  for (const { start, runs } of measured) runs.push(run(start));
}

const medians = measured.map(({ start, runs }) => ({
  start,
  ready: median(runs.map(({ ready }) => ready)),
  cpu: median(runs.map(({ cpu }) => cpu)),
  rss: median(runs.map(({ rss }) => rss)),
}));
const [bare] = medians;
if (bare === undefined) throw new Error('there is nothing to compare with');

const load = loadavg()[0]?.toFixed(1);
console.log(
  `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}, load ${load}, ` +
    `medians of ${options.rounds} interleaved runs, ${new Date().toISOString().slice(0, 10)}\n`,
);
console.log('| | version | ready, ms | CPU, ms | RSS, MB |\n| --- | --- | --- | --- | --- |');
for (const { start, ready, cpu, rss } of medians) {
  const cells =
    start.preload === undefined
      ? [ready.toFixed(0), cpu.toFixed(0), rss.toFixed(1)]
      : [ready - bare.ready, cpu - bare.cpu, rss - bare.rss].map(
          (more, at) => `+${more.toFixed(at === 2 ? 1 : 0)}`,
        );
  console.log(`| ${start.name} | ${versionOf(start)} | ${cells.join(' | ')} |`);
}
