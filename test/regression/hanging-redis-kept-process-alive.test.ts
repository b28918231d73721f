import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runApp } from '../support/run-app.ts';

/** It takes connections and never answers. The client's time limits of five seconds held the process. */
describe('a process whose settings are in a Redis that hangs', function () {
  this.timeout(30_000);
  const sockets: Socket[] = [];
  let server: Server;
  let folder: string;
  before(async () => {
    server = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    folder = mkdtempSync(join(tmpdir(), 'token-meter-hanging-'));
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('ends when its work is done', async () => {
    const file = join(folder, 'app.mjs');
    writeFileSync(
      file,
      `const done = performance.now();
       process.on('exit', () => console.log(Math.round(performance.now() - done)));`,
    );
    const { code, out } = await runApp(file, {
      node: ['--import', 'otel-token-meter/register'],
      env: { REDIS_URL: `redis://127.0.0.1:${(server.address() as AddressInfo).port}` },
    });
    assert.equal(code, 0);
    assert.ok(Number(out) < 1500, `${out} ms`);
  });
});
