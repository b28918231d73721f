import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { LateError, withinTurns } from '../../../src/settings/stores/within-turns.ts';

function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('a time limit in turns of the event loop', () => {
  it('passes results and errors on', async () => {
    assert.equal(await withinTurns(Promise.resolve(7), 1000), 7);
    await assert.rejects(withinTurns(Promise.reject(new Error('no')), 1000), /^Error: no$/);
  });

  it('ends what never answers', async () => {
    // Its own timer holds no process.
    const held = setInterval(() => undefined, 1000);
    await assert.rejects(withinTurns(new Promise(() => undefined), 50), LateError);
    clearInterval(held);
  });

  it('reads the answer that arrived while the process stood still', async () => {
    const server = createServer((socket) => socket.end('answer')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      const answer = withinTurns(once(socket, 'data'), 100);
      standStill(300);
      assert.equal(String((await answer)[0]), 'answer');
    } finally {
      socket.destroy();
      server.close();
    }
  });
});
