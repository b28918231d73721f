import assert from 'node:assert/strict';
import { trace } from '@opentelemetry/api';
import type * as Bedrock from '@aws-sdk/client-bedrock-runtime';
import { bedrock } from '../../src/providers/bedrock/index.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const REPLY = {
  body: JSON.stringify({
    output: { message: { role: 'assistant', content: [{ text: 'Twice a day.' }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 18, outputTokens: 9, totalTokens: 27 },
    metrics: { latencyMs: 1 },
  }),
};

/** The callback ran as a part of the call it ends, and what it called itself was not metered. */
describe('a call inside the callback of a Bedrock command', () => {
  let server: WireServer;
  let metering: Metering;
  let sdk: typeof Bedrock;
  before(async () => {
    server = await startWireServer('http2');
    metering = startMetering();
    sdk = (await loadCjs('@aws-sdk/client-bedrock-runtime')()) as typeof Bedrock;
    assert.notEqual(bedrock.patch(sdk, metering.current), 'unfit');
    metering.on();
  });
  after(async () => {
    metering.off();
    metering.close();
    await server.close();
  });

  it('is a call of its own, beside the first', async () => {
    server.play(REPLY, REPLY);
    const client = new sdk.BedrockRuntimeClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const command = () =>
      new sdk.ConverseCommand({
        modelId: 'amazon.nova-lite-v1:0',
        messages: [{ role: 'user', content: [{ text: 'When?' }] }],
      });
    const span = await new Promise((resolve, reject) => {
      client.send(command(), (error: unknown) => {
        if (error) return reject(error as Error);
        const active = trace.getActiveSpan();
        client.send(command()).then(() => resolve(active), reject);
      });
    });
    assert.equal(span, undefined);
    const { records } = await metering.take();
    assert.deepEqual(
      records.map(({ inputTokens }) => inputTokens),
      [18, 18],
    );
    client.destroy();
  });
});
