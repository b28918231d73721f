import assert from 'node:assert/strict';
import { collectUntil, heapInUse } from '../support/collect.ts';
import { startMetering } from '../support/metering.ts';
import { startWireServer, type Script } from '../support/wire/wire-server.ts';
import { useSuite } from '../conformance/providers/provider-suite.ts';
import type { ProviderUnderTest } from '../conformance/providers/provider-under-test.ts';

/** Metered calls of each SDK; `GROWTH_CALLS=10000 npm run test:slow` takes its time. */
const CALLS = Number(process.env['GROWTH_CALLS'] ?? 1500);
/** Less leaves V8 still growing, in code and feedback, while it is measured. */
const WARM_UP = 1000;
/** What V8 itself grows by even then, and sockets and timers of client and server. */
const NOISE_BYTES = 300_000;
const NOISE_BYTES_A_CALL = 100;

/** Other builds of what is here, and the SDKs of `call-growth.test.ts`. */
const ELSEWHERE = /, ESM|^openai [567]|^AzureOpenAI|^@anthropic-ai\/sdk 1/;

const KINDS = ['plain', 'error', 'stream', 'bare stream', 'break', 'unread'] as const;
type Kind = (typeof KINDS)[number];

/** All at once: thousands of streams have no time for pauses between their pieces. */
function atOnce({ pieces, pauseMs: _pause, ...script }: Script): Script {
  if (pieces === undefined) return script;
  return {
    ...script,
    headers: { 'content-type': 'text/event-stream', ...script.headers },
    body: Buffer.concat(pieces.map((piece) => Buffer.from(piece as string))),
  };
}

useSuite(function describeGrowth<Client>(sdk: ProviderUnderTest<Client>): void {
  if (ELSEWHERE.test(sdk.title)) return;
  describe(sdk.title, function () {
    this.timeout(300_000);

    it(`leaves nothing behind in ${CALLS} calls`, async () => {
      const server = await startWireServer(sdk.protocol);
      const metering = startMetering();
      try {
        const module = await sdk.load();
        const client = sdk.client(module, server.url);
        const { plain, error, stream, bareStream = stream } = sdk.wire;
        const scripts: Readonly<Record<Kind, Script>> = {
          plain: atOnce(plain),
          error: atOnce(error),
          stream: atOnce(stream),
          'bare stream': atOnce(bareStream),
          break: atOnce(stream),
          unread: atOnce(stream),
        };

        const one = async (kind: Kind): Promise<void> => {
          server.play(scripts[kind]);
          if (kind === 'plain' || kind === 'error') {
            await sdk.plain(client);
            return;
          }
          const chunks = await sdk.stream(client);
          if (kind === 'unread') return;
          for await (const _chunk of chunks) if (kind === 'break') break;
        };
        let records = 0;
        const take = async (): Promise<void> => {
          records += (await metering.take()).records.length;
        };
        const run = async (count: number): Promise<void> => {
          for (let done = 0; done < count; done += 1) {
            await one(KINDS[done % KINDS.length] ?? 'plain').catch(() => undefined);
            if (done % 500 === 499) await take();
          }
          await server.served();
        };
        const grown = async (count: number): Promise<number> => {
          await run(WARM_UP);
          const before = await heapInUse();
          await run(count);
          return (await heapInUse()) - before;
        };
        const listeners = (): readonly string[] =>
          process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`);

        const bare = await grown(CALLS);
        const before = listeners();
        assert.notEqual(sdk.patch.patch(module, metering.current), 'unfit');
        metering.on();
        const metered = await grown(CALLS);

        // A finalizer runs at an unknown time.
        await collectUntil(() => records + metering.recorded >= WARM_UP + CALLS);
        await take();
        assert.equal(records, WARM_UP + CALLS);
        assert.equal(metering.unread, 0);
        assert.deepEqual(listeners(), before);
        // What an SDK leaves behind itself (ollama: 4 KB a call) is not the same twice.
        const bytes = (metered - 1.25 * Math.max(0, bare) - NOISE_BYTES) / CALLS;
        if (process.env['GROWTH_CALLS'] !== undefined) {
          process.stdout.write(
            `      ${(metered / CALLS).toFixed(0)} bytes a call, ${(bare / CALLS).toFixed(0)} without us\n`,
          );
        }
        assert.ok(
          bytes < NOISE_BYTES_A_CALL,
          `${metered} bytes in ${CALLS} calls, ${bare} without us`,
        );
      } finally {
        metering.off();
        metering.close();
        await server.close();
      }
    });
  });
});

for (const name of [
  'openai',
  'anthropic',
  'google',
  'mistral',
  'cohere',
  'ollama',
  'bedrock',
  'vercel-ai',
  'langchain',
]) {
  await import(`../conformance/providers/${name}.test.ts`);
}
