// Records calls while the switch of its own service is off, and then while it is on; prints what became of them.
import { NodeSDK } from '@opentelemetry/sdk-node';
import { flush, recordUsage, TokenMeterInstrumentation, withAgent } from 'otel-token-meter';

const events = [];
const records = [];
const spans = [];
const nothing = { forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };
const instrumentation = new TokenMeterInstrumentation({
  onUsage: (record) => records.push(record.service),
});
const sdk = new NodeSDK({
  serviceName: 'tides',
  instrumentations: [instrumentation],
  logRecordProcessors: [
    { ...nothing, onEmit: ({ resource }) => events.push(resource.attributes['service.name']) },
  ],
  ...(process.env.OTEL_TRACES_EXPORTER !== 'none' && {
    spanProcessors: [{ ...nothing, onStart: ({ name }) => spans.push(name), onEnd() {} }],
  }),
});
sdk.start();

async function record() {
  for (let call = 0; call < 5; call += 1) {
    await withAgent({ name: 'clerk' }, () =>
      recordUsage({ model: 'gpt-4o', inputTokens: 1, outputTokens: 1 }),
    );
  }
  await flush();
  return [...new Set([...records.splice(0), ...events.splice(0)])];
}

instrumentation.applySettings({ services: { tides: { enabled: false } } });
const off = [...(await record()), ...spans.splice(0)];
instrumentation.applySettings({ services: { another: { enabled: false } } });
const on = await record();
console.log(JSON.stringify({ off, on, hasLookedUp: spans.includes('otel-token-meter') }));
await sdk.shutdown();
