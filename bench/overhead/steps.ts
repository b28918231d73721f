/**
 * What a step of an agent's run costs, alternating with the same function by itself within one process: `npm run
 * bench:overhead-steps -- [tool | agent | agent-of-tools] [all | spans | none]`. The second argument selects the parts
 * of the OpenTelemetry SDK that are registered in addition to the Context manager. `agent-of-tools` is an agent with
 * ten tools, of which each asks a sub-agent: 21 steps, nested three deep.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { metrics, trace } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { TokenMeterInstrumentation, withAgent, withTool } from 'otel-token-meter';
import { registerTelemetry, type SeenSpan } from './telemetry.ts';

const [what = 'tool', telemetry = 'all'] = process.argv.slice(2);
const spans: SeenSpan[] = [];
registerTelemetry(spans);
if (telemetry !== 'all') metrics.disable();
if (telemetry === 'none') trace.disable();
registerInstrumentations({ instrumentations: [new TokenMeterInstrumentation()] });
await sleep(100);

const INPUT = { query: 'When is high water?' };
const work = async (): Promise<string> => await Promise.resolve(INPUT.query);

type Run = () => Promise<unknown>;
interface Subject {
  readonly bare: Run;
  readonly metered: Run;
  readonly steps: number;
}

const TOOLS = 10;
async function inTurn(run: Run): Promise<void> {
  for (let i = 0; i < TOOLS; i += 1) await run();
}
const SUBJECTS: Readonly<Record<string, Subject>> = {
  tool: { bare: work, metered: () => withTool({ name: 'search' }, work), steps: 1 },
  agent: { bare: work, metered: () => withAgent({ name: 'planner' }, work), steps: 1 },
  'agent-of-tools': {
    bare: () => inTurn(work),
    metered: () =>
      withAgent({ name: 'planner' }, () =>
        inTurn(() => withTool({ name: 'search' }, () => withAgent({ name: 'reader' }, work))),
      ),
    steps: 1 + 2 * TOOLS,
  },
};
const subject = SUBJECTS[what];
if (subject === undefined)
  throw new RangeError(`${what}; allowed: ${Object.keys(SUBJECTS).join(', ')}`);

const CALLS = 20_000 / subject.steps;

/** Microseconds of CPU per run: what others do on the machine counts less than in wall time. */
async function batch(run: Run): Promise<number> {
  const before = process.threadCpuUsage();
  for (let i = 0; i < CALLS; i += 1) await run();
  const { user, system } = process.threadCpuUsage(before);
  spans.length = 0;
  return (user + system) / CALLS;
}

const TURNS = 40;
const WARM_UP = 6;
const added: number[] = [];
for (let i = -WARM_UP; i < TURNS; i += 1) {
  const before = await batch(subject.bare);
  const ours = await batch(subject.metered);
  const after = await batch(subject.bare);
  if (i >= 0) added.push((ours - (before + after) / 2) / subject.steps);
}
const quantile = (q: number): string => {
  const sorted = added.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * q)] ?? Number.NaN).toFixed(2);
};
process.stdout.write(
  `${what}, SDK: ${telemetry}; added ${quantile(0.5)} (${quantile(0.25)} to ${quantile(0.75)}) µs a step\n`,
);
process.exit(0);
