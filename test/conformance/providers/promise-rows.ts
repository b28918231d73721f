import assert from 'node:assert/strict';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { flush, meterChat, recordUsage, withUsageContext } from '../../../src/index.ts';
import { applyPatch } from '../../../src/providers/apply-patch.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { until } from '../../support/until.ts';
import type { Script } from '../../support/wire/wire-server.ts';
import type { ProviderUnderTest } from './provider-under-test.ts';
import { read, see, type Seen } from './seen.ts';

/** A patched SDK with its server, as the suite has set it up. */
export interface Bench<Client> {
  readonly sdk: ProviderUnderTest<Client>;
  readonly metering: () => Metering;
  /** A new client; of a module whose classes are others, if one is given. */
  readonly client: (module?: unknown) => Client;
  readonly module: () => unknown;
  /** How many requests have arrived since the script began. */
  readonly arrived: () => number;
  readonly playing: (
    script: Script | readonly [Script, ...Script[]],
    run: () => Promise<Seen>,
  ) => Promise<Seen>;
  /** What the caller sees of an unmetered stream. */
  readonly bareStream: () => Seen;
}

/** More than any bound that was ever on the calls that are remembered, apart from their time. */
const OTHER_CALLS = 300;

/** The promises that every SDK can be held to beyond one call: several layers, users, instrumentations. */
export function describePromises<Client>(bench: Bench<Client>): void {
  const { sdk, playing, client } = bench;
  const { wire, expected } = sdk;
  const whole = { ...expected.plain, outcome: 'ok', tokenSource: 'provider' } as const;
  const plain = (): Promise<unknown> => sdk.plain(client());

  async function records(count: number): Promise<readonly UsageRecord[]> {
    const taken = await bench.metering().take();
    assert.equal(taken.records.length, count);
    return taken.records;
  }

  it('A1, claims: a wrapper of its model stands back, one of another model is counted beside it', async () => {
    const model = expected.record.requestModel;
    const ask = meterChat(async (_input: { model: string | undefined; user_id: string }) => {
      await plain();
      return { response: 'Twice a day.', usage: { inputTokens: 1, outputTokens: 1 } };
    });
    await playing(wire.plain, () => see(() => ask({ model, user_id: 'alice' })));
    const [own] = await records(1);
    assert.partialDeepStrictEqual(own, { ...whole, userId: 'alice' });
    await playing(wire.plain, () => see(() => ask({ model: 'gateway-1', user_id: 'alice' })));
    const found = (await records(2)).map(({ requestModel }) => requestModel);
    assert.deepEqual(found, [model, 'gateway-1']);
  });

  const { responseId } = expected.record;
  const again = 'A1, claims: reported again after hundreds of other calls, it is the same call';
  if (responseId === undefined) it(`${again}: cannot apply, since its replies have no id`);
  else {
    it(again, async () => {
      await playing(wire.plain, () => see(plain));
      for (let at = 0; at < OTHER_CALLS; at += 1) {
        await recordUsage({ model: 'other', responseId: `other-${at}`, inputTokens: 1 });
      }
      assert.equal(await recordUsage({ model: 'other', responseId, inputTokens: 1 }), undefined);
      await records(1 + OTHER_CALLS);
    });
  }

  it('A2, flush drains: flushed at every chunk, a stream goes on to its whole usage', async () => {
    const flushes: Promise<void>[] = [];
    const seen = await playing(wire.stream, () =>
      read(() => sdk.stream(client()), { onChunk: () => void flushes.push(flush()) }),
    );
    await Promise.all(flushes);
    assert.ok(flushes.length > 1);
    assert.deepEqual(seen, bench.bareStream());
    const [record] = await records(1);
    assert.partialDeepStrictEqual(record, { ...expected.stream, outcome: 'ok' });
  });

  it('A4, several instrumentations: both get every record, and one that is off leaves the other its own', async () => {
    const second = startMetering();
    second.on();
    try {
      await playing(wire.plain, () => see(plain));
      const [mine] = await records(1);
      const [theirs, ...more] = (await second.take()).records;
      assert.deepEqual(more, []);
      assert.partialDeepStrictEqual(mine, whole);
      assert.partialDeepStrictEqual(theirs, { ...whole, id: mine?.id });
      second.off();
      await playing(wire.plain, () => see(plain));
      assert.partialDeepStrictEqual((await records(1))[0], whole);
      assert.deepEqual((await second.take()).records, []);
    } finally {
      second.off();
    }
  });

  it('A5, identity: of two users at once each has the end of its own call, and a third has none', async () => {
    const slow: Script = { ...wire.error, delayMs: 60 };
    await playing([slow, wire.plain, wire.plain], () =>
      see(async () => {
        // Begins first and ends last, so "the latest start" is always the wrong one.
        const failed = withUsageContext({ userId: 'bob' }, () => see(plain));
        await until(() => bench.arrived() === 1);
        await withUsageContext({ userId: 'alice' }, plain);
        await plain();
        await failed;
      }),
    );
    const found = (await records(3)).map(({ userId, outcome }) => `${userId} ${outcome}`);
    assert.deepEqual(
      found.toSorted(),
      ['alice ok', 'bob error', `${expected.record.userId} ok`].toSorted(),
    );
  });

  it('A9, by what a thing is: classes under other names, as a bundler makes them', async () => {
    await playing(wire.plain, () => see(() => sdk.plain(client(renamed(bench.module())))));
    assert.partialDeepStrictEqual((await records(1))[0], whole);
  });

  const { fitsAll } = sdk.promises;
  const unfit = 'A10, warnings: a package of another shape is named with its code';
  if (fitsAll !== undefined) it(`${unfit}: cannot apply, since ${fitsAll}`);
  else
    it(unfit, async () => {
      const warned: unknown[] = [];
      const onWarning = ({ code }: Error & { code?: string }): void => void warned.push(code);
      process.on('warning', onWarning);
      try {
        const title = `${sdk.patch.moduleName}, as ${sdk.title} has it not`;
        // Each message is printed once a process, and several builds have one package name.
        const patch = { ...sdk.patch, moduleName: title };
        assert.equal(applyPatch(patch, {}, bench.metering().current), 'unfit');
        await until(() => warned.length > 0);
        assert.deepEqual(warned, ['TOKEN_METER_UNKNOWN_SHAPE']);
      } finally {
        process.off('warning', onWarning);
      }
    });
}

/** The same exports, each class of them as a nameless one that inherits from it. */
function renamed(module: unknown): unknown {
  return Object.fromEntries(
    Object.entries(module as object).map(([name, value]) => [name, renamedClass(value)]),
  );
}

function renamedClass(value: unknown): unknown {
  if (typeof value !== 'function' || !/^class\b/.test(String(value))) return value;
  const Base = value as new (...args: unknown[]) => object;
  const Renamed = class extends Base {};
  return Object.defineProperty(Renamed, 'name', { value: 'a' });
}
