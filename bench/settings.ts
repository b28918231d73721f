/**
 * Measures how fast a settings change takes effect on all instances on one Redis, alternating with
 * a plain PUBLISH of the same bytes to as many subscribers:
 *
 *     npm run bench:settings -- [--processes 5] [--instances 20] [--rounds 200]
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { RedisSettingsStore, SettingsService, metricsSettings } from '../src/settings/index.ts';
import { startRedis } from '../test/support/servers.ts';
import { startFleet } from '../test/support/settings-fleet.ts';
import { until } from '../test/support/until.ts';

const { values: options } = parseArgs({
  options: {
    processes: { type: 'string', default: '5' },
    /** Instances per process. */
    instances: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '200' },
  },
});
const processes = Number(options.processes);
const perProcess = Number(options.instances);
const rounds = Number(options.rounds);
const READS = 2_000_000;
const WARM_UP = 10;

const now = (): number => performance.timeOrigin + performance.now();

const server = await startRedis();
const redis = new Redis(server.url);
const bareChannel = 'bare';
const fleet = await startFleet({ url: server.url, processes, perProcess, bareChannel });
const admin = new SettingsService({
  schema: metricsSettings,
  store: new RedisSettingsStore({ url: server.url }),
  lastKnownGoodPath: false,
});
await admin.start();

const delays = {
  'PATCH answered': [] as number[],
  'plain push, each subscriber': [] as number[],
  'change in effect, each instance': [] as number[],
  'plain push, last subscriber': [] as number[],
  'change in effect, last instance': [] as number[],
};

async function bareRound(message: number): Promise<readonly number[]> {
  const since = now();
  await redis.publish(bareChannel, String(message));
  await until(() => fleet.heardAt(message).size === fleet.size);
  return [...fleet.heardAt(message).values()].map((at) => at - since);
}

async function changeRound(version: number): Promise<readonly number[]> {
  const since = now();
  await admin.patch({ enabled: version % 2 === 0 });
  const answered = now() - since;
  await until(() => fleet.appliedAt(version).size === fleet.size);
  if (version > WARM_UP) delays['PATCH answered'].push(answered);
  return [...fleet.appliedAt(version).values()].map((at) => at - since);
}

for (let i = 1; i <= rounds + WARM_UP; i++) {
  const [bare, change] = [await bareRound(i), await changeRound(i)];
  // Reports within 200 ms after a change belong to it, not to the next round.
  await new Promise((resolve) => setTimeout(resolve, 250));
  if (i % 20 === 0) process.stderr.write(`round ${i} of ${rounds + WARM_UP}\n`);
  if (i <= WARM_UP) continue;
  delays['plain push, each subscriber'].push(...bare);
  delays['change in effect, each instance'].push(...change);
  delays['plain push, last subscriber'].push(Math.max(...bare));
  delays['change in effect, last instance'].push(Math.max(...change));
}

let on = 0;
const begun = performance.now();
for (let i = 0; i < READS; i++) if (admin.get().enabled) on++;
const readNs = ((performance.now() - begun) * 1e6) / READS;

const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? '?';
await admin.close();
await fleet.close();

const quantile = (sorted: readonly number[], q: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0).toFixed(1);

console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, Redis ${version}, ` +
    `${cpus().length} x ${cpus()[0]?.model}\n` +
    `${fleet.size} instances in ${processes} processes, ${rounds} changes, loopback\n`,
);
console.log('| ms | p50 | p90 | p99 | max |\n|---|---|---|---|---|');
for (const [name, values] of Object.entries(delays)) {
  const sorted = values.toSorted((a, b) => a - b);
  const cells = [0.5, 0.9, 0.99, 1].map((q) => quantile(sorted, q));
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}
console.log(`\nReading a switch: ${readNs.toFixed(1)} ns (${on > 0 ? 'on' : 'off'})`);

redis.on('error', () => undefined);
await server.stop();
redis.disconnect();
