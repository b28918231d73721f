import assert from 'node:assert/strict';
import {
  applyBudgets,
  stopBudgets,
  type BudgetEnvironment,
} from '../../../src/budgets/budgets-in-force.ts';
import type { Budget } from '../../../src/budgets/budget.ts';
import { BudgetExceededError } from '../../../src/budgets/budget-exceeded-error.ts';
import { meterChat, recordUsage } from '../../../src/index.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { collectUntil } from '../../support/collect.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { until } from '../../support/until.ts';
import { unhandledRejections } from '../../support/unhandled.ts';
import { startWireServer, type Script, type WireServer } from '../../support/wire/wire-server.ts';
import { describePromises } from './promise-rows.ts';
import { promisedShapes } from './promised-shapes.ts';
import type { Expected, ProviderUnderTest } from './provider-under-test.ts';
import { read, see, type Seen } from './seen.ts';

const CUT_AFTER = 3;

type ProviderSuite = <Client>(sdk: ProviderUnderTest<Client>) => void;

let suite: ProviderSuite = describeConformance;

/** What the files of this folder drive from now on is given to another suite. Returns the one before. */
export function useSuite(other: ProviderSuite): ProviderSuite {
  const former = suite;
  suite = other;
  return former;
}

export function describeProvider<Client>(sdk: ProviderUnderTest<Client>): void {
  suite(sdk);
}

/**
 * Runs each case twice, before the SDK is patched and after: caller and server must see the same, and
 * the second run leaves exactly one ended span and one record a call behind.
 */
function describeConformance<Client>(sdk: ProviderUnderTest<Client>): void {
  describe(sdk.title, function () {
    let server: WireServer;
    let metering: Metering;
    let module: unknown;
    const bare = new Map<string, Seen>();
    const warnings: string[] = [];
    const client = (of: unknown = module): Client => sdk.client(of, server.url);
    const { wire, expected } = sdk;
    const promised = promisedShapes(sdk);
    const shapes = [...(sdk.shapes ?? []), ...promised.shapes];
    const { bareStream } = wire;
    const open = bareStream ?? wire.stream;
    const onWarning = ({ name, message }: Error): void => {
      if (name !== 'TokenMeterWarning') warnings.push(`${name}: ${message}`);
    };

    /** Starts over for each run: the SDK is given a fresh client, and the server its script. */
    const cases: Record<string, () => Promise<Seen>> = {
      plain: () => playing(wire.plain, () => see(() => sdk.plain(client()))),
      stream: () => playing(wire.stream, () => read(() => sdk.stream(client()))),
      'error status': () => playing(wire.error, () => see(() => sdk.plain(client()))),
      'error status of a stream': () => playing(wire.error, () => read(() => sdk.stream(client()))),
      break: () =>
        playing(held(open), () => read(() => sdk.stream(client()), { breakAfter: CUT_AFTER })),
      'never read': () => playing(wire.stream, () => see(() => dropStream())),
      cut: () => playing({ ...head(open), cut: true }, () => read(() => sdk.stream(client()))),
      'connection lost before a whole reply': () =>
        playing({ pieces: [], cut: true }, () => see(() => sdk.plain(client()))),
      'connection lost before the reply': () =>
        playing({ pieces: [], cut: true }, () => read(() => sdk.stream(client()))),
    };
    cases['peeked, then read on'] = () =>
      playing(wire.stream, () =>
        read(async () => {
          const iterator = (await sdk.stream(client()))[Symbol.asyncIterator]();
          const peeked = await iterator.next();
          return readOn(peeked, iterator);
        }),
      );
    cases['steps asked for at once'] = () =>
      playing(wire.stream, () =>
        see(async () => {
          const iterator = (await sdk.stream(client()))[Symbol.asyncIterator]();
          const steps = await Promise.all([iterator.next(), iterator.next(), iterator.next()]);
          for await (const _chunk of readOn({ done: true, value: undefined }, iterator));
          return steps;
        }),
      );
    if (bareStream !== undefined) {
      cases['stream without usage'] = () =>
        playing(bareStream, () => read(() => sdk.stream(client())));
    }
    if (sdk.abort !== undefined) {
      cases['abort while streaming'] = () =>
        playing(held(open), () => {
          const controller = new AbortController();
          return read(() => sdk.stream(client(), controller.signal), {
            onChunk: (count, stream) => {
              if (count === CUT_AFTER) sdk.abort?.(stream, controller);
            },
            keep: CUT_AFTER,
          });
        });
    }
    for (const shape of shapes) {
      cases[shape.title] = () => playing(shape.script, () => see(() => shape.run(client())));
    }
    const unawaited = (): Promise<readonly string[]> => {
      server.play(wire.error);
      return unhandledRejections(() => void sdk.plain(client()));
    };
    let bareUnawaited: readonly string[];

    async function playing(
      script: Script | readonly [Script, ...Script[]],
      run: () => Promise<Seen>,
    ): Promise<Seen> {
      server.play(...('length' in script ? script : ([script] as const)));
      const seen = await run();
      return { ...seen, served: await server.served() };
    }

    /** An SDK may send its request only after it has handed out the stream. */
    async function dropStream(): Promise<undefined> {
      await sdk.stream(client());
      await until(async () => (await server.served()).requests.length > 0);
    }

    before('starts the server and loads the SDK', async () => {
      process.on('warning', onWarning);
      server = await startWireServer(sdk.protocol);
      metering = startMetering();
      module = await sdk.load();
    });

    // A hook each: one SDK alone takes 2 s of processor time to load.
    for (const [name, run] of Object.entries(cases)) {
      before(`unpatched: ${name}`, async () => {
        bare.set(name, await run());
      });
    }

    before('unpatched: a failed call that nobody awaits', async () => {
      bareUnawaited = await unawaited();
    });

    before('patches the SDK', () => {
      assert.notEqual(sdk.patch.patch(module, metering.current), 'unfit');
      metering.on();
    });

    after(async () => {
      process.off('warning', onWarning);
      metering?.off();
      metering?.close();
      await server?.close();
    });

    async function compare(name: string): Promise<UsageRecord> {
      return (await compareAll(name, 1))[0] as UsageRecord;
    }

    async function compareAll(
      name: string,
      calls: number,
      endsAtShutdown = false,
    ): Promise<readonly UsageRecord[]> {
      const run = cases[name];
      assert.ok(run);
      const seen = await run();
      if (endsAtShutdown) {
        // A flush may come from another request of the same process: it ends no call.
        assert.deepEqual((await metering.take(false)).records, []);
        metering.shutdown();
      }
      if (
        (name === 'break' && sdk.breakSeen === 'collected') ||
        (name === 'never read' && !endsAtShutdown)
      ) {
        await collectUntil(() => metering.recorded > 0);
      }
      const records = await taken(calls);
      assert.deepEqual(seen, bare.get(name));
      return records;
    }

    async function taken(calls: number): Promise<readonly UsageRecord[]> {
      const { records, spans, started } = await metering.take();
      assert.deepEqual(
        { records: records.length, started, ended: spans.length },
        { records: calls, started: calls, ended: calls },
      );
      for (const record of records) {
        // A7: what cannot be counted is absent.
        if (record.tokenSource !== 'provider') assert.notEqual(record.inputTokens, 0);
        assert.equal(record.provider, expected.record.provider);
        assert.equal(record.spanId?.length, 16);
      }
      return records;
    }

    it('is not patched twice', () => {
      assert.equal(sdk.patch.patch(module, metering.current), 'already-patched');
    });

    it('leaves a module of another shape alone', () => {
      for (const other of [{}, { default: class {} }]) {
        assert.notEqual(sdk.patch.patch(other, metering.current), 'patched');
      }
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

    for (const name of ['peeked, then read on', 'steps asked for at once']) {
      it(name, async () => {
        assertRecord(await compare(name), {
          ...expected.stream,
          outcome: 'ok',
          tokenSource: 'provider',
        });
      });
    }

    if (bareStream !== undefined) {
      it('stream without usage', async () => {
        const record = await compare('stream without usage');
        assert.equal(record.outcome, 'ok');
        assertCounted(record);
      });
    }

    for (const name of [
      'error status',
      'error status of a stream',
      'connection lost before a whole reply',
      'connection lost before the reply',
    ]) {
      it(name, async () => {
        const record = await compare(name);
        assert.notEqual(record.outcome, 'ok');
        assert.equal(record.outputTokens, undefined);
        if (!name.startsWith('error')) return;
        assert.equal(record.outcome, 'error');
        assert.equal(typeof record.errorType, 'string');
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

    it('never read, then shut down', async () => {
      const { neverRead = 'unread' } = sdk;
      const isOpen = neverRead === 'unread';
      const [record] = await compareAll('never read', 1, isOpen);
      assert.equal(record?.outcome, neverRead === 'whole' ? 'ok' : 'aborted');
      if (isOpen) assert.equal(record?.outputTokens, undefined);
    });

    it('never read, then collected', async () => {
      let dropped = 0;
      // A frame of V8's interpreter may keep the last reply for as long as it waits.
      do {
        await playing(wire.stream, () => see(() => dropStream()));
        dropped += 1;
      } while (!(await collectUntil(() => metering.recorded > 0)) && dropped < 3);
      assert.ok(metering.recorded > 0, 'never collected');
      const [record] = await taken(dropped);
      assert.equal(record?.outcome, sdk.neverRead === 'whole' ? 'ok' : 'aborted');
      assert.equal(metering.unread, 0);
    });

    for (const shape of shapes) {
      it(shape.title, async () => {
        const each = Array.isArray(shape.expected) ? (shape.expected as Expected[]) : undefined;
        const calls = shape.calls ?? each?.length ?? 1;
        const records = await compareAll(shape.title, calls, shape.endsAtShutdown);
        for (const [index, record] of records.entries()) {
          assertRecord(record, each?.[index] ?? (shape.expected as Expected));
        }
      });
    }

    // Without a body: shown as pending, with the reason.
    for (const reason of promised.cannot) it(reason);

    describePromises({
      sdk,
      metering: () => metering,
      client,
      module: () => module,
      arrived: () => server.arrived,
      playing,
      bareStream: () => bare.get('stream') as Seen,
    });

    it('a failed call that nobody awaits', async () => {
      assert.deepEqual(await unawaited(), bareUnawaited);
      const [record] = await taken(1);
      assert.equal(record?.outcome, 'error');
    });

    it('switched off and on while a stream runs', async () => {
      const switching = (at: () => void): Promise<Seen> =>
        playing(wire.stream, () =>
          read(() => sdk.stream(client()), { onChunk: (count) => count === 1 && at() }),
        );
      await switching(() => metering.off());
      const [begunOn] = await taken(1);
      assertRecord(begunOn as UsageRecord, { ...expected.stream, outcome: 'ok' });
      await switching(() => metering.on());
      await taken(0);
      metering.tokenStatistics(false);
      await switching(() => metering.tokenStatistics(true));
      const [begunWithout] = await taken(1);
      assertRecord(begunWithout as UsageRecord, {
        requestModel: expected.record.requestModel,
        outcome: 'ok',
        inputTokens: undefined,
        outputTokens: undefined,
        tokenSource: undefined,
      });
    });

    it('flushed, then shut down, while a stream runs', async () => {
      const seen = await playing(wire.stream, () =>
        read(() => sdk.stream(client()), {
          onChunk: (count) => {
            if (count === 1) void metering.take(false);
            if (count === 2) metering.shutdown();
          },
        }),
      );
      assert.deepEqual(seen, bare.get('stream'));
      const [record] = await taken(1);
      assert.notEqual(record?.outcome, 'error');
      assert.equal(metering.open, 0);
    });

    it('inside meterChat, beside a call recorded by hand', async () => {
      const chat = meterChat(async (_input: { user_id: string }) => {
        await recordUsage({ model: 'gateway', inputTokens: 1, attributes: { aside: true } });
        return await sdk.plain(client());
      });
      await playing(wire.plain, () => see(() => chat({ user_id: 'alice' })));
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ userId, attributes }) => [userId, attributes['aside'] === true]),
        [
          ['alice', true],
          ['alice', false],
        ],
      );
    });

    for (const kind of ['plain', 'stream'] as const) {
      it(`refused by a budget: ${kind}`, async () => {
        applyBudgets([NO_ROOM], ENVIRONMENT);
        let thrown: unknown;
        try {
          server.play(wire[kind]);
          await (kind === 'plain' ? sdk.plain(client()) : readAll(await sdk.stream(client())));
        } catch (error) {
          thrown = error;
        } finally {
          await stopBudgets();
        }
        assertRefused(thrown, sdk.refusedAs);
        assert.equal((await server.served()).requests.length, 0, 'a request was sent');
        assertRecord((await taken(1))[0] as UsageRecord, {
          requestModel: expected.record.requestModel,
          outcome: 'blocked',
          errorType: 'budget_exceeded',
          inputTokens: undefined,
          outputTokens: undefined,
          tokenSource: undefined,
          costUsd: undefined,
        });
      });
    }

    it('switched off', async () => {
      metering.off();
      try {
        for (const name of ['plain', 'stream']) {
          assert.deepEqual(await cases[name]?.(), bare.get(name));
        }
        await taken(0);
      } finally {
        metering.on();
      }
    });

    it('leaves no warning of the process behind', () => {
      assert.deepEqual(warnings, []);
    });
  });
}

const NO_ROOM: Budget = { id: 'no-room', window: 'day', limit: { tokens: 1 }, mode: 'block' };

const ENVIRONMENT: BudgetEnvironment = {
  isDecision: true,
  store: undefined,
  priceOf: () => undefined,
  identify: (call) => call,
};

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _chunk of stream);
}

/** In the form of the SDK's own error for status 429. */
function assertRefused(thrown: unknown, name: string): void {
  assert.ok(thrown instanceof Error && thrown instanceof BudgetExceededError, String(thrown));
  const error: BudgetExceededError = thrown;
  assert.ok(
    [error.name, error.constructor.name].includes(name),
    `${error.constructor.name} ${error.name}`,
  );
  const { code, status, budgetId, unit, limit, spent } = error;
  assert.deepEqual(
    { code, status, budgetId, unit, limit, spent },
    {
      code: 'budget_exceeded',
      status: 429,
      budgetId: 'no-room',
      unit: 'tokens',
      limit: 1,
      spent: 0,
    },
  );
  assert.ok(Date.parse(error.resetsAt) > Date.now());
  assert.match(error.message, /budget no-room is exhausted/);
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

/** An early end while the server holds the reply and would go on. */
function held(script: Script): Script {
  const { pieces = [], ...rest } = head(script);
  const last = pieces.at(-1);
  return { ...rest, pieces, ...(last === undefined ? {} : { held: last }) };
}

/** A stream up to the second piece of text: provider headers come first in some formats. */
function head(script: Script): Script {
  return { ...script, pieces: (script.pieces ?? []).slice(0, -2), pauseMs: 4 };
}

/** What a reader sees who has taken the first step by itself. */
async function* readOn(
  first: IteratorResult<unknown>,
  iterator: AsyncIterator<unknown>,
): AsyncGenerator<unknown> {
  if (first.done !== true) yield first.value;
  yield* { [Symbol.asyncIterator]: () => iterator };
}
