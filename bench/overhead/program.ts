/**
 * Runs one peer in a separate process: `program.ts <index of PEERS> cpu|memory|shapes [server
 * URL]`.
 */
import { Session, type HeapProfiler } from 'node:inspector/promises';
import { createRequire } from 'node:module';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { OpenAI } from 'openai';
import { see } from '../../test/conformance/providers/seen.ts';
import { collectAll, heapInUse } from '../../test/support/collect.ts';
import { startWireServer } from '../../test/support/wire/wire-server.ts';
import { PEERS } from './peers.ts';
import { inProcessFetch } from './replies.ts';
import { SHAPES } from './shapes.ts';
import type { SeenSpan } from './telemetry.ts';

export type Kind = 'plain' | 'stream';
export type Target = 'fetch' | 'server';

/** Microseconds of main-thread CPU per call. */
export type CpuResult = Readonly<Record<Target, Readonly<Record<Kind, number>>>>;
/** Bytes per call of the in-process program. */
export interface MemoryResult {
  readonly allocated: number;
  readonly retained: number;
}
export interface ShapeResult {
  readonly title: string;
  readonly seen: unknown;
  readonly unhandled: number;
  /** Chunks that the server sent after the client left the loop. */
  readonly sentAfterHold: number;
  readonly spans: readonly SeenSpan[];
}

const [index = '0', mode = 'cpu', serverUrl = ''] = process.argv.slice(2);
const peer = PEERS[Number(index)];
if (peer === undefined) throw new Error(`no peer ${index}`);
const spans: SeenSpan[] = [];
const running = await peer.start(spans);
const place = peer.openai === 7 ? '../../package.json' : '../../test/sdks/openai-6/package.json';
const { OpenAI: Client } = createRequire(new URL(place, import.meta.url))('openai') as {
  OpenAI: typeof OpenAI;
};

function clientFor(options: { baseURL: string; fetch?: typeof fetch }): OpenAI {
  const client = new Client({ apiKey: 'bench', maxRetries: 0, ...options });
  return running.wrap?.(client) ?? client;
}

// Lazy loading by a peer is not part of a call, and a loop of promises would starve it.
await sleep(1500);

const CHAT = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user' as const, content: 'How often does the tide come in?' }],
};

/** One call, then a turn of the event loop, as with a network call. */
async function call(client: OpenAI, kind: Kind): Promise<void> {
  await turn();
  if (kind === 'plain') {
    await client.chat.completions.create(CHAT);
    return;
  }
  const chunks = await client.chat.completions.create({
    ...CHAT,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const _chunk of chunks);
}

const BATCHES = 5;

/** Linux reports thread CPU time in ticks of 4 ms, so a batch has to last for a hundred of them. */
async function cpu(): Promise<CpuResult> {
  let kind: Kind = 'plain';
  const clients = {
    fetch: clientFor({ baseURL: 'http://127.0.0.1:9', fetch: inProcessFetch(() => kind) }),
  };
  const measure = async (target: Target, now: Kind, calls: number): Promise<number> => {
    kind = now;
    const client =
      target === 'fetch' ? clients.fetch : clientFor({ baseURL: `${serverUrl}/${now}` });
    const batches: number[] = [];
    // The first batch is a warm-up.
    for (let batch = 0; batch < 1 + BATCHES; batch += 1) {
      spans.length = 0;
      const before = process.threadCpuUsage();
      for (let i = 0; i < calls; i += 1) await call(client, now);
      const { user, system } = process.threadCpuUsage(before);
      if (batch > 0) batches.push((user + system) / calls);
    }
    return batches.toSorted((a, b) => a - b)[BATCHES >> 1] ?? Number.NaN;
  };
  return {
    fetch: {
      plain: await measure('fetch', 'plain', 6000),
      stream: await measure('fetch', 'stream', 250),
    },
    server: {
      plain: await measure('server', 'plain', 1200),
      stream: await measure('server', 'stream', 250),
    },
  };
}

/** Samples allocations every 4 KB, including objects that are already collected. */
async function memory(): Promise<MemoryResult> {
  const client = clientFor({ baseURL: 'http://127.0.0.1:9', fetch: inProcessFetch(() => 'plain') });
  const CALLS = 4000;
  const run = async (): Promise<void> => {
    for (let i = 0; i < CALLS; i += 1) await call(client, 'plain');
    spans.length = 0;
  };
  await run();
  const start = await heapInUse();
  for (let i = 0; i < 3; i += 1) await run();
  const retained = ((await heapInUse()) - start) / (3 * CALLS);
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 4096,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await run();
  const { profile } = await session.post('HeapProfiler.stopSampling');
  return { allocated: sizeOf(profile.head) / CALLS, retained };
}

function sizeOf({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((size, child) => size + sizeOf(child), selfSize);
}

async function shapes(): Promise<readonly ShapeResult[]> {
  const server = await startWireServer();
  let unhandled = 0;
  process.on('unhandledRejection', () => (unhandled += 1));
  const results: ShapeResult[] = [];
  for (const shape of SHAPES) {
    const { title, script } = shape;
    spans.length = 0;
    unhandled = 0;
    server.play(...('length' in script ? script : ([script] as const)));
    const { surfaces: _surfaces, ...seen } = await see(async () =>
      shape.run(clientFor({ baseURL: server.url })),
    );
    const { sentAfterHold } = await server.served();
    await collectAll();
    await running.flush?.();
    results.push({ title, seen, unhandled, sentAfterHold, spans: [...spans] });
  }
  await server.close();
  return results;
}

const result = await { cpu, memory, shapes }[mode as 'cpu' | 'memory' | 'shapes']();
process.stdout.write(`\nRESULT ${JSON.stringify(result)}\n`, () => process.exit(0));
