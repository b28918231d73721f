import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SqliteUsageReader } from '../../exporter/index.ts';
import type { UsageRecord } from '../../src/index.ts';
import type { ProviderUnderTest } from '../conformance/providers/provider-under-test.ts';
import { callOf, scriptOf, type ChaosLine, type ChaosRun } from '../support/chaos.ts';
import { everyProvider } from '../support/every-provider.ts';
import { seededRandom } from '../support/random-texts.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

/** `TOKEN_METER_CHAOS_MINUTES=30` is the long run. */
const MINUTES = Number(process.env['TOKEN_METER_CHAOS_MINUTES'] ?? 2);
const SEED = Number(process.env['TOKEN_METER_CHAOS_SEED'] ?? 14);
const APP = fileURLToPath(new URL('../support/chaos-app.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SDKS_A_RUN = 6;
const AT_ONCE = 6;
const RUN_MS = 12_000;
/** Generous: a run loads its SDKs first, and the machine may be busy. */
const STARTED_WITHIN_MS = 300_000;
const ENDED_WITHIN_MS = 120_000;
/** A call that ended this long before SIGKILL is on the disk: gathered for 20 ms, then committed. */
const ON_DISK_AFTER_MS = 5000;
/** So long the preload flushes after a signal, however starved the machine is. */
const FLUSHED_WITHIN_MS = 3000;

type End = 'by itself' | 'SIGTERM' | 'SIGINT' | 'SIGKILL';
const ENDS: readonly End[] = ['by itself', 'SIGTERM', 'SIGKILL', 'SIGINT'];

interface Call {
  readonly begin: ChaosLine;
  readonly end?: ChaosLine;
}

interface Run {
  readonly end: End;
  /** When the signal was sent, or the input closed. */
  readonly endedAtMs: number;
  /** From there to the end of the process. */
  readonly tookMs: number;
  readonly calls: ReadonlyMap<number, Call>;
}

interface Sums {
  calls: number;
  input: number;
  output: number;
}

describe(`${MINUTES} min of chaos (seed ${SEED})`, function () {
  this.timeout((MINUTES + 10) * 60_000);
  const random = seededRandom(SEED);
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-chaos-'));
  const path = join(folder, 'usage.db');
  let sdks: readonly ProviderUnderTest<unknown>[];
  let http1: WireServer;
  let http2: WireServer;
  let left: readonly number[] = [];
  let nextCall = 1;
  /** Replies with usage that the server was asked for, by call. */
  const asked = new Set<number>();

  before(async () => {
    sdks = await everyProvider();
    [http1, http2] = await Promise.all([startWireServer(), startWireServer('http2')]);
    for (const server of [http1, http2]) {
      server.playBy((path) => {
        asked.add(Number(callOf(path)?.call));
        return scriptOf(path, sdks);
      });
    }
  });
  after(async () => {
    await http1?.close();
    await http2?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Every SDK has its turn before one has its second. */
  function someSdks(): readonly number[] {
    const some: number[] = [];
    while (some.length < SDKS_A_RUN) {
      if (left.length === 0) left = [...sdks.keys()];
      const at = left[Math.floor(random() * left.length)] as number;
      left = left.filter((other) => other !== at);
      if (!some.includes(at)) some.push(at);
    }
    return some;
  }

  async function runOnce(end: End): Promise<Run> {
    const log = join(folder, `${nextCall}.jsonl`);
    const run: ChaosRun = {
      seed: SEED + nextCall,
      urls: { http1: http1.url, http2: http2.url },
      sdks: someSdks(),
      firstCall: nextCall,
      atOnce: AT_ONCE,
      log,
    };
    const { NODE_OPTIONS: _options, OTEL_CONFIG_FILE: _file, ...env } = process.env;
    const app = spawn(
      process.execPath,
      [
        '--no-warnings',
        '--expose-gc',
        '--conditions=otel-token-meter/source',
        '--import',
        'otel-token-meter/register',
        APP,
        JSON.stringify(run),
      ],
      {
        cwd: ROOT,
        env: {
          ...env,
          TOKEN_METER_PROVIDER: 'sqlite',
          TOKEN_METER_SQLITE_PATH: path,
          TOKEN_METER_SETTINGS_STORE: 'memory',
        },
      },
    );
    let out = '';
    let err = '';
    app.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    app.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const closed = once(app, 'close');
    const titles = (): string => `${end}, ${run.sdks.map((at) => sdks[at]?.title).join('; ')}`;
    try {
      await within(STARTED_WITHIN_MS, app, () => out.includes('ready'));
      assert.ok(out.includes('ready'), `${titles()}: ${err}`);
      await sleep(RUN_MS * (0.5 + random()));
      const endedAtMs = Date.now();
      if (end === 'by itself') app.stdin.end();
      else app.kill(end);
      await within(ENDED_WITHIN_MS, app, () => false);
      assert.deepEqual(
        [app.signalCode, err],
        [end === 'by itself' ? null : end, ''],
        `${titles()}: ${app.exitCode}`,
      );
      const tookMs = Date.now() - endedAtMs;
      const calls = callsIn(log);
      nextCall = Math.max(nextCall, ...calls.keys()) + 1;
      return { end, endedAtMs, tookMs, calls };
    } finally {
      if (app.exitCode === null && app.signalCode === null) app.kill('SIGKILL');
      await closed;
    }
  }

  async function within(ms: number, app: ChildProcess, isDone: () => boolean): Promise<void> {
    const giveUpAt = performance.now() + ms;
    while (performance.now() < giveUpAt && !isDone()) {
      if (app.exitCode !== null || app.signalCode !== null) return;
      await sleep(20);
    }
  }

  function callsIn(log: string): Run['calls'] {
    const calls = new Map<number, Call>();
    for (const text of readFileSync(log, 'utf8').split('\n')) {
      if (text === '') continue;
      const line = JSON.parse(text) as ChaosLine;
      if (line.at === 'begin') calls.set(line.call, { begin: line });
      else calls.set(line.call, { begin: calls.get(line.call)?.begin as ChaosLine, end: line });
    }
    return calls;
  }

  async function ledger(): Promise<ReadonlyMap<number, readonly UsageRecord[]>> {
    const reader = new SqliteUsageReader({ path });
    const byCall = new Map<number, UsageRecord[]>();
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined;) {
      const page = await reader.records({ limit: 1000, ...(cursor !== undefined && { cursor }) });
      for (const record of page.records) {
        const call = Number(/^call-(\d+)$/.exec(record.userId ?? '')?.[1]);
        byCall.set(call, [...(byCall.get(call) ?? []), record]);
      }
      ({ cursor } = page);
      isFirst = false;
    }
    await reader.close();
    return byCall;
  }

  /** What may be missing by nature: the process was killed, or the call began after its signal. */
  function mayBeMissing(run: Run, { begin, end }: Call): boolean {
    if (run.end === 'by itself') return false;
    if (run.end !== 'SIGKILL') {
      return begin.ms >= run.endedAtMs || run.tookMs >= FLUSHED_WITHIN_MS;
    }
    const { kind } = begin;
    if (kind === 'half read' || kind === 'unread') return true;
    return end === undefined || end.ms > run.endedAtMs - ON_DISK_AFTER_MS;
  }

  /** All of the reply was had, before anything ended the process. */
  function isWhole(run: Run, { begin, end }: Call): boolean {
    if (end?.saw !== 'whole' || !/^(?:plain|stream)/.test(begin.kind)) return false;
    return run.end === 'by itself' || end.ms < run.endedAtMs;
  }

  function check(run: Run, record: UsageRecord, call: Call): void {
    const { begin } = call;
    const { kind } = begin;
    const sdk = sdks[begin.sdk] as ProviderUnderTest<unknown>;
    const title = `call ${begin.call}, ${sdk.title}, ${kind}: ${JSON.stringify(record)}`;
    assert.equal(record.provider, sdk.expected.record.provider, title);
    if (isWhole(run, call)) {
      const usage = kind === 'plain' ? sdk.expected.plain : sdk.expected.stream;
      assert.equal(record.outcome, 'ok', title);
      if (kind === 'plain' || kind === 'stream') {
        assert.partialDeepStrictEqual(record, { ...usage, tokenSource: 'provider' }, title);
      }
      return;
    }
    if (/^(?:error|lost)/.test(kind)) {
      assert.notEqual(record.outcome, 'ok', title);
      assert.equal(record.outputTokens, undefined, title);
    }
    // Some SDKs read a stream to its end whatever its reader does.
    const readsOn = sdk.neverRead === 'whole' || begin.kind.startsWith('stream');
    if (!readsOn && kind !== 'plain') assert.notEqual(record.outcome, 'ok', title);
  }

  it('leaves one right record a call, whatever ends it', async () => {
    const runs: Run[] = [];
    const until = performance.now() + MINUTES * 60_000;
    for (let at = 0; performance.now() < until || at < ENDS.length; at += 1) {
      runs.push(await runOnce(ENDS[at % ENDS.length] as End));
    }

    const records = await ledger();
    const served: Sums = { calls: 0, input: 0, output: 0 };
    const recorded: Sums = { calls: 0, input: 0, output: 0 };
    const lost = new Map<End, number>();
    const wrong: string[] = [];
    let total = 0;
    for (const run of runs) {
      for (const [number, call] of run.calls) {
        total += 1;
        const [record, ...more] = records.get(number) ?? [];
        const { kind, sdk } = call.begin;
        const title = `call ${number} of ${sdks[sdk]?.title}, ${kind}, ${run.end}`;
        if (more.length > 0) wrong.push(`${title}: recorded ${more.length + 1} times`);
        if (record === undefined) {
          if (!mayBeMissing(run, call)) wrong.push(`${title}: lost ${JSON.stringify(call)}`);
          lost.set(run.end, (lost.get(run.end) ?? 0) + 1);
          continue;
        }
        try {
          check(run, record, call);
        } catch (error) {
          wrong.push(String((error as Error).message));
        }
        if (!isWhole(run, call) || (kind !== 'plain' && kind !== 'stream')) continue;
        const usage = sdks[sdk]?.expected[kind];
        assert.ok(asked.has(number), title);
        served.calls += 1;
        served.input += usage?.inputTokens ?? 0;
        served.output += usage?.outputTokens ?? 0;
        recorded.calls += 1;
        recorded.input += record.inputTokens ?? 0;
        recorded.output += record.outputTokens ?? 0;
      }
    }
    assert.deepEqual(wrong, []);
    assert.deepEqual(recorded, served);
    const known = new Set(runs.flatMap(({ calls }) => [...calls.keys()]));
    assert.deepEqual(
      [...records.keys()].filter((call) => !known.has(call)),
      [],
      'records of calls that nobody made',
    );
    process.stdout.write(
      `      ${total} calls in ${runs.length} processes; ${served.calls} whole replies with ` +
        `${served.input} + ${served.output} tokens, all recorded; missing by nature: ` +
        `${JSON.stringify(Object.fromEntries(lost))}\n`,
    );
    assert.ok(total > 100, `${total} calls`);
  });
});
