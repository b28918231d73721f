// As the documents of OpenTelemetry have it for ES modules, without an SDK and without exporters.
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';

const own = createRequire(import.meta.url);
const peer = createRequire(own.resolve(process.env.BENCH_PACKAGE));
// The copies that the peer listens to.
const base = createRequire(peer.resolve('@opentelemetry/instrumentation'));
// Only this package: wrapping all modules is a SyntaxError in openai 7 for older hooks. The oldest, which
// OpenInference brings, knows no list: its application sees CommonJS only.
if (!base('import-in-the-middle/package.json').version.startsWith('1.7.')) {
  register(pathToFileURL(base.resolve('import-in-the-middle/hook.mjs')), {
    data: { include: ['openai'] },
  });
}
const { OpenAIInstrumentation } = own(process.env.BENCH_PACKAGE);
const { registerInstrumentations } = peer('@opentelemetry/instrumentation');
registerInstrumentations({ instrumentations: [new OpenAIInstrumentation()] });
