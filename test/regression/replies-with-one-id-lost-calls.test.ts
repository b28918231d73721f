import assert from 'node:assert/strict';
import { langchain } from '../../src/providers/langchain/index.ts';
import { collectUntil } from '../support/collect.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { plainChatModel, type LangchainCore } from '../support/plain-chat-model.ts';
import { loadTogether } from '../support/sdk-versions.ts';
import { chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const STREAMS = 20;
const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const REPLY = chatStream({
  model: 'plain-1-0826',
  usage: USAGE,
  streamUsage: { usage: USAGE },
});

/**
 * Some servers give every reply the same id, Ollama one of a thousand. Calls of a layer that may stand
 * above others went by it: of two that overlapped the longer one was taken for the outside of the other.
 */
describe('calls of one layer whose replies have one id', () => {
  let server: WireServer;
  let metering: Metering;
  let core: LangchainCore;

  before(async () => {
    server = await startWireServer();
    server.play(REPLY);
    metering = startMetering();
    core = Object.assign(
      {},
      ...(loadTogether(
        ['language_models/chat_models', 'messages', 'outputs'].map(
          (name) => `@langchain/core/${name}`,
        ),
      ) as object[]),
    ) as LangchainCore;
    const patch = langchain.find(({ moduleName }) => moduleName === '@langchain/core');
    assert.equal(patch?.patch(core, metering.current), 'patched');
    metering.on();
  });
  after(async () => {
    metering.off();
    metering.close();
    await server.close();
  });

  async function outcomes(): Promise<readonly string[]> {
    return (await metering.take()).records.map(({ outcome }) => outcome);
  }

  it('each leaves a record when they end in the order of a stack', async () => {
    const model = plainChatModel(core, server.url);
    const [outside, inside] = [await model.stream('When?'), await model.stream('Where?')];
    for await (const chunk of inside) void chunk;
    for await (const chunk of outside) void chunk;
    assert.deepEqual(await outcomes(), ['ok', 'ok']);
  });

  it('each stream that was begun and dropped leaves one when it is collected', async () => {
    const model = plainChatModel(core, server.url);
    for (let begun = 0; begun < STREAMS; begun += 1) await model.stream('How often?');
    await server.served();
    // A frame of V8's interpreter may keep the last one for as long as it waits.
    await collectUntil(() => metering.recorded >= STREAMS);
    await model.stream('How often?');
    assert.ok(await collectUntil(() => metering.recorded >= STREAMS), `${metering.recorded}`);
    assert.deepEqual(new Set(await outcomes()), new Set(['aborted']));
  });
});
