// Calls of random SDKs in random ways, until its standard input ends or a signal comes. Started by
// test/slow/chaos.test.ts with the preload.
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { flush, meterChat, withUsageContext } from 'otel-token-meter';
import { currentCallMeter } from '../../src/metering-in-force.ts';
import type { ProviderUnderTest } from '../conformance/providers/provider-under-test.ts';
import { addressOf, KINDS, type ChaosLine, type ChaosRun, type Kind } from './chaos.ts';
import { everyProvider } from './every-provider.ts';
import { seededRandom } from './random-texts.ts';

const run = JSON.parse(process.argv[2] ?? '') as ChaosRun;
const random = seededRandom(run.seed);
const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
const log = openSync(run.log, 'a');
/** Of SDKs that report errors of their own on the console. */
console.error = () => undefined;
process.on('unhandledRejection', (error) => {
  process.stderr.write(`unhandled: ${String(error)}\n`);
});

interface Loaded {
  readonly at: number;
  readonly sdk: ProviderUnderTest<unknown>;
  readonly module: unknown;
}

const sdks = await everyProvider();
const loaded: Loaded[] = [];
for (const at of run.sdks) {
  const sdk = sdks[at] as ProviderUnderTest<unknown>;
  const module = await sdk.load();
  if (sdk.patch.patch(module, currentCallMeter) === 'unfit') throw new Error(sdk.title);
  loaded.push({ at, sdk, module });
}

/** Streams that are held and never read on. */
const kept: unknown[] = [];
let next = run.firstCall;
let isEnding = false;

function write(line: ChaosLine): void {
  writeSync(log, `${JSON.stringify(line)}\n`);
}

async function read(
  { sdk }: Loaded,
  client: unknown,
  kind: Kind,
): Promise<NonNullable<ChaosLine['saw']>> {
  const controller = new AbortController();
  const stream = await sdk.stream(client, kind === 'abort' ? controller.signal : undefined);
  if (kind === 'unread') return 'part';
  if (kind === 'half read') {
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    kept.push(iterator);
    return 'part';
  }
  let chunks = 0;
  for await (const _chunk of stream) {
    chunks += 1;
    if (chunks < 3) continue;
    if (kind === 'break') return 'part';
    if (kind === 'abort') sdk.abort?.(stream, controller);
  }
  return kind === 'abort' ? 'part' : 'whole';
}

async function call(of: Loaded, kind: Kind, number: number): Promise<void> {
  const about = { call: number, sdk: of.at, kind };
  const { sdk, module } = of;
  const url = run.urls[sdk.protocol ?? 'http1'];
  const client = sdk.client(module, `${url}${addressOf(number, of.at, kind)}`);
  const isWhole = kind === 'plain' || kind === 'error' || kind === 'lost before the reply';
  const ask = async (): Promise<NonNullable<ChaosLine['saw']>> => {
    if (!isWhole) return await read(of, client, kind);
    await sdk.plain(client);
    return 'whole';
  };
  const user_id = `call-${number}`;
  // A layer of the application's own around some of them, which stands back. Around a lazy stream that is
  // not even begun there is nothing for it to stand back for.
  const layered =
    kind !== 'unread' && random() < 0.2
      ? () => meterChat(async (_input: object) => await ask())({ user_id, model: undefined })
      : () => withUsageContext({ userId: user_id }, ask);
  write({ ...about, at: 'begin', ms: Date.now() });
  const saw = await layered().catch(() => 'error' as const);
  write({ ...about, at: 'end', ms: Date.now(), saw });
}

async function lane(): Promise<void> {
  while (!isEnding) {
    const number = next;
    next += 1;
    await call(pick(loaded), pick(KINDS), number);
    if (random() < 0.05) void flush();
    if (random() < 0.02) globalThis.gc?.();
    await sleep(random() * 20);
  }
}

process.stdin.on('end', () => (isEnding = true)).resume();
process.stdout.write('ready\n');
await Promise.all(Array.from({ length: run.atOnce }, lane));
process.stdout.write(`ended ${next}\n`);
