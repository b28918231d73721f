import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { docBlocks } from '../../support/doc-blocks.ts';
import { answersWith, documentedApp, type DocumentedApp } from '../../support/documented-app.ts';
import { freePort } from '../../support/servers.ts';

const LAYOUT = `export default function Layout({ children }) {
  return <html><body>{children}</body></html>;
}`;

/** The Next.js part of docs/web-frameworks.md, in a real application that Next builds and serves. */
describe('Next.js', () => {
  let app: DocumentedApp;
  const env = { NEXT_TELEMETRY_DISABLED: '1' };
  before(async () => {
    app = await documentedApp(['next@16', 'react@19', 'react-dom@19']);
    const files: Record<string, string> = { 'app/layout.jsx': LAYOUT };
    for (const { file, text } of docBlocks('docs/web-frameworks.md')) {
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
});
