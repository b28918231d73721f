// The SDK of the declarative file, with our instrumentation in its list.
import { startNodeSdk } from '@opentelemetry/sdk-node';
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';

const sdk = startNodeSdk({ instrumentations: [new TokenMeterInstrumentation()] });
await import('./chat.mjs');
await flush();
await sdk.shutdown();
