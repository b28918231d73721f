/**
 * Measures throughput to a real server and CPU per record: our processor with its spool, the
 * official client with `Point`, and prebuilt bodies as the ceiling. One interleaved run. Requires
 * Debian's influxd and victoria-metrics.
 *
 *     npm run bench:exporter [-- --records 200000 --rounds 5 --backlog 360000]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { InfluxDB } from '@influxdata/influxdb-client';
import { InfluxUsageProcessor } from 'otel-token-meter/exporter';
import { startInfluxd, startVictoriaMetrics, type TestServer } from '../test/support/servers.ts';
import { makeBodies, nextCall, pointOf } from './exporter/calls.ts';
import { drain } from './exporter/drain.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    backlog: { type: 'string', default: '360000' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log('npm run bench:exporter -- [--records 200000] [--rounds 5] [--backlog 360000]');
  process.exit(0);
}
const RECORDS = Number(values.records);
const ROUNDS = Number(values.rounds);
const BATCH = 5000;
/** Records emitted in one turn of the event loop. */
const GROUP = 100;
/** Microseconds per `onEmit` call, by group. */
const callTimes: number[] = [];
/** Records in flight before the emitting loop waits. Real applications emit more slowly. */
const AHEAD = 20_000;

interface Cost {
  readonly perSecond: number;
  /** CPU of the whole process, microseconds per record. */
  readonly cpu: number;
  /** CPU of the application's thread, microseconds per record. */
  readonly thread: number;
}

async function measured(work: () => Promise<void>): Promise<Cost> {
  globalThis.gc?.();
  const start = performance.now();
  const cpu = process.cpuUsage();
  const thread = process.threadCpuUsage();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  const usedByThread = process.threadCpuUsage(thread);
  return {
    perSecond: RECORDS / seconds,
    cpu: (used.user + used.system) / RECORDS,
    thread: (usedByThread.user + usedByThread.system) / RECORDS,
  };
}

async function sendBodies(url: string, bodies: readonly Buffer[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const left = [...bodies];
  const send = async (body: Buffer): Promise<void> =>
    await new Promise((resolve, reject) => {
      const headers = { 'content-length': body.length };
      const sent = request(url, { method: 'POST', agent, headers }, (response) => {
        response.resume();
        response.once('end', () =>
          response.statusCode === 204 ? resolve() : reject(new Error(`${response.statusCode}`)),
        );
      });
      sent.once('error', reject);
      sent.end(body);
    });
  const lane = async (): Promise<void> => {
    for (let body = left.shift(); body !== undefined; body = left.shift()) await send(body);
  };
  await Promise.all([lane(), lane()]);
  agent.destroy();
}

async function sendPoints(url: string, path: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  let stored = 0;
  const api = new InfluxDB({ url, transportOptions: { agent } }).getWriteApi('', 'usage', 'ns', {
    batchSize: BATCH,
    flushInterval: 0,
    // Compression has no benefit on the same machine.
    gzipThreshold: Infinity,
    writeSuccess: (lines) => void (stored += lines.length),
  });
  Object.assign(api, { path });
  for (let i = 0; i < RECORDS; i++) {
    api.writePoint(pointOf(nextCall()));
    if (i % 500 === 0) await turn();
  }
  // Resolves when the last batch is sent, regardless of earlier ones.
  await api.flush(true);
  while (stored < RECORDS) await sleep(1);
  agent.destroy();
}

async function sendOurs(url: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'token-meter-bench-'));
  const processor = new InfluxUsageProcessor({ url, bucket: 'usage', spool: { directory } });
  for (let i = 0; i < RECORDS; i += GROUP) {
    const start = performance.now();
    for (let n = 0; n < GROUP; n++) processor.onEmit(nextCall().log);
    callTimes.push(((performance.now() - start) / GROUP) * 1000);
    await turn();
    // Polling without a pause would take CPU from the server and count as ours.
    while (i - processor.status().accepted > AHEAD) await sleep(1);
  }
  while (processor.status().delivered < RECORDS) {
    await processor.forceFlush();
    const { dropped, lastError } = processor.status();
    if (Object.keys(dropped).length > 0) throw new Error(JSON.stringify({ dropped, lastError }));
  }
  await processor.shutdown();
  rmSync(directory, { recursive: true, force: true });
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

async function compare(name: string, server: TestServer): Promise<void> {
  callTimes.length = 0;
  const path = '/write?db=usage&precision=n';
  const contenders = ['prebuilt bodies', 'client with Point', 'otel-token-meter'] as const;
  const costs = new Map<string, Cost[]>(contenders.map((contender) => [contender, []]));
  for (let round = -1; round < ROUNDS; round++) {
    // Each one starts every third round, so that background work of the server affects all equally.
    const order = contenders.map((_, i) => contenders[(i + round + 3) % 3]);
    for (const contender of order) {
      if (contender === undefined) continue;
      const bodies = contender === 'prebuilt bodies' ? makeBodies(RECORDS, BATCH) : [];
      const cost = await measured(async () => {
        if (contender === 'otel-token-meter') await sendOurs(server.url);
        else if (contender === 'client with Point') await sendPoints(server.url, path);
        else await sendBodies(server.url + path, bodies);
      });
      // The first round warms up.
      if (round >= 0) costs.get(contender)?.push(cost);
    }
  }
  const call = median(callTimes).toFixed(2);
  const ceiling = costs.get('prebuilt bodies') ?? [];
  console.log(
    `\n${name}\n| | records/s | share of the ceiling | CPU µs/record | application thread µs/record |`,
  );
  console.log('|---|---|---|---|---|');
  for (const [contender, all] of costs) {
    const perSecond = median(all.map((cost) => cost.perSecond));
    const ratio = median(
      all.map((cost, i) => cost.perSecond / (ceiling[i]?.perSecond ?? Number.NaN)),
    );
    const cpu = median(all.map((cost) => cost.cpu));
    const thread = median(all.map((cost) => cost.thread));
    console.log(
      `| ${contender} | ${Math.round(perSecond)} | ${ratio.toFixed(2)} | ${cpu.toFixed(2)} | ${thread.toFixed(2)} |`,
    );
  }
  console.log(`median time of one onEmit: ${call} µs`);
}

const version = (name: string): string =>
  (
    JSON.parse(
      readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
    ) as { version: string }
  ).version;
console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores, @influxdata/influxdb-client ${version('@influxdata/influxdb-client')}; ${RECORDS} records per round, ${ROUNDS} rounds, medians; load ${loadavg()[0]?.toFixed(1)}`,
);
// Servers of the test helpers do not keep the process alive.
const alive = setInterval(() => {}, 1000);
for (const [name, start] of ROUNDS === 0
  ? []
  : ([
      ['InfluxDB 1.x', async () => await startInfluxd({ databases: ['usage'] })],
      ['VictoriaMetrics', startVictoriaMetrics],
    ] as const)) {
  const server = await start();
  await compare(name, server);
  await server.stop();
}
if (values.backlog !== '0') await drain(Number(values.backlog));
clearInterval(alive);
