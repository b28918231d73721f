import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SdkPatch } from '../../../src/providers/provider.ts';
import type { TokenUsage, UsageRecord } from '../../../src/usage/usage-record.ts';
import { collectUntil } from '../../support/collect.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { startWireServer, type Script, type WireServer } from '../../support/wire/wire-server.ts';

/** Undefined: the field must be absent. */
type Expected = { readonly [Field in keyof UsageRecord]?: UsageRecord[Field] | undefined };

/** One SDK as the suite drives it. */
export interface ProviderUnderTest<Client> {
  /** Package and version, for the title. */
  readonly title: string;
  readonly patch: SdkPatch;
  readonly protocol?: 'http1' | 'http2';
  load(): Promise<unknown>;
  client(module: unknown, url: string): Client;
  plain(client: Client, signal?: AbortSignal): Promise<unknown>;
  stream(client: Client, signal?: AbortSignal): Promise<AsyncIterable<unknown>>;
  /** How a running stream is stopped from outside; absent where the SDK has no way. */
  abort?(stream: AsyncIterable<unknown>, controller: AbortController): void;
  /** Whether a caller who stops reading is heard of; `collected`: only when his stream is. */
  readonly breakSeen?: 'at-once' | 'collected';
  /** How a stream ends that nobody reads; `ok` where the SDK reads ahead by itself. */
  readonly neverRead?: 'aborted' | 'ok';
  /** Further shapes of call, each with what it must leave behind. */
  readonly shapes?: readonly Shape<Client>[];
  readonly wire: Wire;
  readonly expected: {
    readonly record: Expected;
    readonly plain: TokenUsage;
    readonly stream: TokenUsage;
  };
}

export interface Shape<Client> {
  readonly title: string;
  readonly script: Script;
  run(client: Client): Promise<unknown>;
  readonly expected: Expected;
  /** Records of one run; default 1. */
  readonly calls?: number;
}

export interface Wire {
  readonly plain: Script;
  readonly stream: Script;
  /** The same stream without any usage. Its last two pieces close the reply, text stands before. */
  readonly bareStream: Script;
  readonly error: Script;
}

/** What a caller can see of one call. */
interface Seen {
  readonly value?: unknown;
  readonly chunks?: readonly unknown[];
  readonly error?: { readonly name: string; readonly message: string; readonly status?: unknown };
}

const CUT_AFTER = 3;

/**
 * Runs each case twice, before the SDK is patched and after: the caller must see the same, and the
 * second run leaves exactly one span and one record behind.
 */
export function describeProvider<Client>(sdk: ProviderUnderTest<Client>): void {
  describe(sdk.title, function () {
    this.timeout(15_000);
    let server: WireServer;
    let metering: Metering;
    let module: unknown;
    const bare = new Map<string, Seen>();
    const client = (): Client => sdk.client(module, server.url);
    const { wire, expected } = sdk;

    const cases: Record<string, () => Promise<Seen>> = {
      plain: async () => {
        server.play(wire.plain);
        return see(() => sdk.plain(client()));
      },
      stream: async () => {
        server.play(wire.stream);
        return read(() => sdk.stream(client()));
      },
      'stream without usage': async () => {
        server.play(wire.bareStream);
        return read(() => sdk.stream(client()));
      },
      'error status': async () => {
        server.play(wire.error);
        return see(() => sdk.plain(client()));
      },
      'error status of a stream': async () => {
        server.play(wire.error);
        return read(() => sdk.stream(client()));
      },
      break: async () => {
        server.play(endless(wire.bareStream));
        return read(() => sdk.stream(client()), { breakAfter: CUT_AFTER });
      },
      'never read': async () => {
        server.play(wire.stream);
        return see(async () => {
          await sdk.stream(client());
          return undefined;
        });
      },
      cut: async () => {
        server.play({ ...head(wire.bareStream), cut: true });
        return read(() => sdk.stream(client()));
      },
    };
    if (sdk.abort !== undefined) {
      cases['abort while streaming'] = async () => {
        server.play(endless(wire.bareStream));
        const controller = new AbortController();
        return read(() => sdk.stream(client(), controller.signal), {
          onChunk: (count, stream) => {
            if (count === CUT_AFTER) sdk.abort?.(stream, controller);
          },
          keep: CUT_AFTER,
        });
      };
    }
    for (const shape of sdk.shapes ?? []) {
      cases[shape.title] = async () => {
        server.play(shape.script);
        return see(() => shape.run(client()));
      };
    }

    before(async () => {
      server = await startWireServer(sdk.protocol);
      metering = startMetering();
      module = await sdk.load();
      for (const [name, run] of Object.entries(cases)) {
        bare.set(name, await withServerState(run));
      }
      assert.equal(sdk.patch.patch(module, metering.current), 'patched');
      metering.on();
    });

    after(async () => {
      metering?.off();
      metering?.close();
      await server?.close();
    });

    /** Whether the client left an endless reply must stay the same: the vendor bills what it sends. */
    async function withServerState(run: () => Promise<Seen>): Promise<Seen & { left?: boolean }> {
      const seen = await run();
      if (server.playing.repeat === undefined) return seen;
      await sleep(40);
      return { ...seen, left: server.leftByClient };
    }

    async function compare(name: string): Promise<UsageRecord> {
      const records = await compareAll(name, 1);
      return records[0] as UsageRecord;
    }

    async function compareAll(name: string, calls: number): Promise<readonly UsageRecord[]> {
      const run = cases[name];
      assert.ok(run);
      const seen = await withServerState(run);
      if (
        (name === 'break' && sdk.breakSeen === 'collected') ||
        (name === 'never read' && sdk.neverRead === 'ok')
      ) {
        await collectUntil(() => metering.recorded > 0);
      }
      const { records, spans } = await metering.take();
      assert.deepEqual(seen, bare.get(name));
      assert.equal(records.length, calls, `${records.length} records`);
      assert.equal(spans.length, calls, `${spans.length} spans`);
      for (const record of records) {
        assert.equal(record.provider, expected.record.provider);
        assert.equal(record.spanId?.length, 16);
      }
      return records;
    }

    it('is not patched twice', () => {
      assert.equal(sdk.patch.patch(module, metering.current), 'already-patched');
    });

    it('plain', async () => {
      assertRecord(await compare('plain'), {
        ...expected.record,
        ...expected.plain,
        outcome: 'ok',
        tokenSource: 'provider',
      });
    });

    it('stream', async () => {
      const record = await compare('stream');
      assertRecord(record, {
        ...expected.record,
        ...expected.stream,
        outcome: 'ok',
        tokenSource: 'provider',
      });
      assert.ok(record.timeToFirstChunkMs !== undefined && record.timeToFirstChunkMs > 0);
    });

    it('stream without usage', async () => {
      const record = await compare('stream without usage');
      assert.equal(record.outcome, 'ok');
      assertCounted(record);
    });

    for (const name of ['error status', 'error status of a stream']) {
      it(name, async () => {
        const record = await compare(name);
        assert.equal(record.outcome, 'error');
        assert.equal(typeof record.errorType, 'string');
        assert.equal(record.outputTokens, undefined);
      });
    }

    const early = ['break', 'cut', ...(sdk.abort === undefined ? [] : ['abort while streaming'])];
    for (const name of early) {
      it(name, async () => {
        const record = await compare(name);
        assert.equal(record.outcome, 'aborted');
        assertCounted(record);
      });
    }

    it('never read', async () => {
      const record = await compare('never read');
      assert.equal(record.outcome, sdk.neverRead ?? 'aborted');
      assert.equal(record.outputTokens !== undefined, sdk.neverRead === 'ok');
    });

    for (const shape of sdk.shapes ?? []) {
      it(shape.title, async () => {
        const records = await compareAll(shape.title, shape.calls ?? 1);
        for (const record of records) assertRecord(record, shape.expected);
      });
    }

    it('switched off', async () => {
      metering.off();
      try {
        for (const name of ['plain', 'stream']) {
          assert.deepEqual(
            await withServerState(cases[name] as () => Promise<Seen>),
            bare.get(name),
          );
        }
        const { records, spans } = await metering.take();
        assert.deepEqual([records.length, spans.length], [0, 0]);
      } finally {
        metering.on();
      }
    });
  });
}

function assertRecord(record: UsageRecord, expected: Expected): void {
  const found = Object.fromEntries(
    Object.keys(expected).map((key) => [key, record[key as keyof UsageRecord]]),
  );
  assert.deepEqual(found, expected);
}

function assertCounted(record: UsageRecord): void {
  assert.match(record.tokenSource ?? '', /^(counted|estimated)$/);
  assert.ok((record.inputTokens ?? 0) > 0, 'input counted');
  assert.ok((record.outputTokens ?? 0) > 0, 'output counted');
}

function endless(script: Script): Script {
  const pieces = head(script).pieces ?? [];
  const last = pieces.at(-1);
  return { ...script, pieces, ...(last === undefined ? {} : { repeat: last }), pauseMs: 2 };
}

/** A stream up to the second piece of text: provider headers come first in some formats. */
function head(script: Script): Script {
  return { ...script, pieces: (script.pieces ?? []).slice(0, -2), pauseMs: 4 };
}

async function see(run: () => Promise<unknown>): Promise<Seen> {
  try {
    return { value: snapshot(await run()) };
  } catch (error) {
    return { error: told(error) };
  }
}

interface Reading {
  readonly breakAfter?: number;
  readonly onChunk?: (count: number, stream: AsyncIterable<unknown>) => void;
  /** Chunks compared: after an abort more may or may not come through. */
  readonly keep?: number;
}

async function read(
  open: () => Promise<AsyncIterable<unknown>>,
  { breakAfter, onChunk, keep }: Reading = {},
): Promise<Seen> {
  const chunks: unknown[] = [];
  const kept = (): readonly unknown[] => chunks.slice(0, keep);
  try {
    const stream = await open();
    for await (const chunk of stream) {
      chunks.push(snapshot(chunk));
      onChunk?.(chunks.length, stream);
      if (chunks.length === breakAfter) break;
    }
    return { chunks: kept() };
  } catch (error) {
    return { chunks: kept(), error: told(error) };
  }
}

/** Names the class too: the caller's `instanceof` must go on working. */
function snapshot(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return { class: value.constructor?.name, data: JSON.parse(stable(value)) as unknown };
}

/** What differs from run to run by nature is left out. */
function stable(value: unknown): string {
  const varying = new Set(['date', 'Date', 'attempts', 'totalRetryDelay', 'port']);
  return (
    JSON.stringify(value, (key, inner: unknown) => (varying.has(key) ? undefined : inner)) ?? 'null'
  );
}

function told(error: unknown): NonNullable<Seen['error']> {
  const { name, message, status, constructor } = error as Error & { status?: unknown };
  return {
    name: `${constructor.name} ${name}`,
    message: message.replace(/\d{4}-\d\d.*Z/, ''),
    status,
  };
}
