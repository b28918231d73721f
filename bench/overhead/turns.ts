/**
 * Alternates bare and metered calls within one process, which resolves small differences: `npm run
 * bench:overhead-turns -- [4 | 5 | 6 | 7] [plain | stream] [all | spans | none] [fetch | server]
 * [ours | contrib | traceloop]`. The third argument selects the parts of the OpenTelemetry SDK that
 * are registered in addition to the Context manager. The fourth selects an in-process `fetch` or a
 * server in a separate thread. Peers require openai 6.
 */
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { metrics, trace } from '@opentelemetry/api';
import { registerInstrumentations, type Instrumentation } from '@opentelemetry/instrumentation';
import type { OpenAI } from 'openai';
import { instrumentationOf } from './peers.ts';
import { CHUNKS, inProcessFetch } from './replies.ts';
import { registerTelemetry, type SeenSpan } from './telemetry.ts';

const [major = '7', kind = 'plain', telemetry = 'all', target = 'fetch', who = 'ours'] =
  process.argv.slice(2);
const place = major === '7' ? '../../package.json' : `../../test/sdks/openai-${major}/package.json`;
const requireSdk = createRequire(new URL(place, import.meta.url));

/** Loads a new copy each time. */
function load(): typeof OpenAI {
  for (const key of Object.keys(requireSdk.cache)) {
    if (key.includes('openai')) delete requireSdk.cache[key];
  }
  return (requireSdk('openai') as { OpenAI: typeof OpenAI }).OpenAI;
}

async function serverUrl(): Promise<string> {
  const [url] = await once(new Worker(new URL('server.ts', import.meta.url)), 'message');
  return url as string;
}

async function instrumentation(): Promise<Instrumentation> {
  if (who === 'ours') return new (await import('otel-token-meter')).TokenMeterInstrumentation();
  const scope = who === 'contrib' ? 'opentelemetry' : who;
  return instrumentationOf(`@${scope}/instrumentation-openai`);
}

const Bare = load();
const spans: SeenSpan[] = [];
registerTelemetry(spans);
if (telemetry !== 'all') metrics.disable();
if (telemetry === 'none') trace.disable();
registerInstrumentations({ instrumentations: [await instrumentation()] });
const Metered = load();
const client = { apiKey: 'bench', maxRetries: 0 };
const options =
  target === 'server'
    ? { ...client, baseURL: `${await serverUrl()}/${kind}` }
    : {
        ...client,
        baseURL: 'http://127.0.0.1:9',
        fetch: inProcessFetch(() => (kind === 'plain' ? 'plain' : 'stream')),
      };
const bare = new Bare(options);
const metered = new Metered(options);
await sleep(1000);

const CHAT = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user' as const, content: 'How often does the tide come in?' }],
};

async function call(client: OpenAI): Promise<void> {
  await turn();
  if (kind === 'plain') {
    await client.chat.completions.create(CHAT);
    return;
  }
  const stream_options = { include_usage: true };
  const chunks = await client.chat.completions.create({ ...CHAT, stream: true, stream_options });
  for await (const _chunk of chunks);
}

const CALLS = kind === 'stream' ? 200 : target === 'server' ? 1500 : 4000;

/**
 * Microseconds per call: thread CPU time when waiting for a server, otherwise wall time, since CPU
 * time is reported in ticks of 4 ms.
 */
async function batch(client: OpenAI): Promise<number> {
  const started = performance.now();
  const before = process.threadCpuUsage();
  for (let i = 0; i < CALLS; i += 1) await call(client);
  const { user, system } = process.threadCpuUsage(before);
  const elapsed = (performance.now() - started) * 1000;
  spans.length = 0;
  return (target === 'server' ? user + system : elapsed) / CALLS;
}

const TURNS = 40;
const WARM_UP = 6;
const bares: number[] = [];
const added: number[] = [];
for (let i = -WARM_UP; i < TURNS; i += 1) {
  const before = await batch(bare);
  const ours = await batch(metered);
  const after = await batch(bare);
  if (i < 0) continue;
  bares.push(before, after);
  added.push(ours - (before + after) / 2);
}
const unit = kind === 'plain' ? 1 : CHUNKS;
const quantile = (values: readonly number[], q: number): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[Math.floor(sorted.length * q)] ?? Number.NaN) / unit).toFixed(2);
};
process.stdout.write(
  `${who}, openai ${major}, ${kind}, ${target}, SDK: ${telemetry}; bare ${quantile(bares, 0.5)}, added ${quantile(added, 0.5)} ` +
    `(${quantile(added, 0.25)} to ${quantile(added, 0.75)}) µs a ${kind === 'plain' ? 'call' : 'chunk'}\n`,
);
process.exit(0);
