import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { docBlocks } from '../../support/doc-blocks.ts';
import {
  answersWith,
  DOC_WIRE,
  documentedApp,
  REGISTER,
  type DocumentedApp,
} from '../../support/documented-app.ts';
import { attributesOf, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { chatStream } from '../../support/wire/openai-chat.ts';
import { freePort } from '../../support/servers.ts';

const DOCS = ['docs/web-frameworks.md', 'docs/platforms.md'];
const LAYOUT = `export default function Layout({ children }) {
  return <html><body>{children}</body></html>;
}`;

/** The Next.js parts of the documents, in a real application that Next builds and serves. */
describe('Next.js', () => {
  let app: DocumentedApp;
  const env = { NEXT_TELEMETRY_DISABLED: '1' };
  before(async () => {
    app = await documentedApp([
      'next@16',
      'react@19',
      'react-dom@19',
      '@opentelemetry/sdk-node@^0.301.0',
    ]);
    const files: Record<string, string> = { 'app/layout.jsx': LAYOUT };
    for (const { file, text } of DOCS.flatMap(docBlocks)) {
      if (file === 'next.config.mjs' || file === 'instrumentation.js' || file?.startsWith('app/')) {
        files[file] = text;
      }
    }
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(app.folder, name)), { recursive: true });
      await app.write(name, text);
    }
    const built = await app.run('npx', ['next', 'build'], env);
    assert.equal(built.code, 0, `${built.out}${built.err}`);
  });
  after(async () => await app?.remove());

  it('makes one record of the call of a route handler', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/api/chat`;
    const args = ['next', 'start', '--hostname', '127.0.0.1', '--port', `${port}`];
    let isAnswered = false;
    const result = await app.serve('npx', args, env, async ({ out }) => {
      isAnswered ||= await answersWith(url, /twice a day/, { message: 'When is high tide?' });
      return isAnswered && out.includes('alice');
    });
    assert.doesNotMatch(result.err, /Error/);
    assert.deepEqual(result.out.match(/^alice .*$/gm), ['alice gpt-4o 27']);
  });

  it('delivers after a streamed reply, before any interval of the exporters', async () => {
    const receiver = await startOtlpReceiver();
    app.wire.play(chatStream(DOC_WIRE));
    try {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}/api/ask`;
      const next = ['node_modules/next/dist/bin/next', 'start', '--hostname', '127.0.0.1'];
      const exports = {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl,
        OTEL_TRACES_EXPORTER: '',
        OTEL_METRICS_EXPORTER: '',
        OTEL_LOGS_EXPORTER: '',
        OTEL_METRIC_EXPORT_INTERVAL: '600000',
        OTEL_BSP_SCHEDULE_DELAY: '600000',
        OTEL_BLRP_SCHEDULE_DELAY: '600000',
      };
      let isAnswered = false;
      let waitedUntil = Number.POSITIVE_INFINITY;
      await app.serve(
        'node',
        [...REGISTER, ...next, '--port', `${port}`],
        { ...env, ...exports },
        async () => {
          if (!isAnswered) {
            isAnswered = await answersWith(url, /twice/, { message: 'When is high tide?' });
            waitedUntil = performance.now() + 10_000;
          }
          const signals = new Set(receiver.requests.map(({ signal }) => signal));
          return signals.size === 3 || performance.now() > waitedUntil;
        },
      );
      const [events] = receiver.requests.filter(({ signal }) => signal === 'logs');
      const [event] = events?.body.resourceLogs[0].scopeLogs[0].logRecords ?? [];
      const attributes = attributesOf(event?.attributes);
      assert.equal(attributes['user.id'], 'alice');
      assert.equal(attributes['gen_ai.usage.output_tokens'], 9);
      assert.deepEqual([...new Set(receiver.requests.map(({ signal }) => signal))].toSorted(), [
        'logs',
        'metrics',
        'traces',
      ]);
    } finally {
      await receiver.close();
    }
  });
});
