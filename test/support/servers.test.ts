import assert from 'node:assert/strict';
import { requireServer, startInfluxd, startRedis, startVictoriaMetrics } from './servers.ts';

describe('test servers', () => {
  it('starts and restarts a real InfluxDB with a database', async function () {
    requireServer(this, 'influxd');
    const server = await startInfluxd({ databases: ['llm'] });
    try {
      await server.restart();
      const answer = await fetch(`${server.url}/query?q=${encodeURIComponent('SHOW DATABASES')}`);
      assert.match(await answer.text(), /"llm"/);
    } finally {
      await server.stop();
    }
  });

  it('starts a real Redis', async function () {
    requireServer(this, 'redis-server');
    const server = await startRedis();
    assert.match(server.url, /^redis:\/\/127\.0\.0\.1:\d+$/);
    await server.stop();
  });

  it('starts a real VictoriaMetrics', async function () {
    requireServer(this, 'victoria-metrics');
    const server = await startVictoriaMetrics();
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
    await server.stop();
  });
});
