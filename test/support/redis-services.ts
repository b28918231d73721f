import { Redis } from 'ioredis';
import {
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  metricsSettings,
} from '../../src/settings/index.ts';
import { startRedis, type TestServer } from './servers.ts';
import { until } from './until.ts';

/** Servers, clients and services of one test, closed together. */
export class RedisServices {
  readonly #servers: TestServer[] = [];
  readonly #services: SettingsService<MetricsSettings>[] = [];
  readonly #clients: Redis[] = [];

  async started(starting: Promise<TestServer>): Promise<TestServer> {
    const server = await starting;
    this.#servers.push(server);
    return server;
  }

  /** A cluster of masters that share the slots. */
  async cluster(count: number): Promise<{ readonly url: string; readonly nodes: TestServer[] }> {
    const options = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'];
    const nodes: TestServer[] = [];
    while (nodes.length < count) nodes.push(await this.started(startRedis(options)));
    const clients = nodes.map((node) => this.clientOf(node));
    const slots = 16_384 / count;
    for (const [at, client] of clients.entries()) {
      const [first, last] = [Math.ceil(at * slots), Math.ceil((at + 1) * slots) - 1];
      await client.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
      if (at > 0) await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', String(nodes[at]!.port));
    }
    for (const client of clients) {
      await until(async () => String(await client.cluster('INFO')).includes('cluster_state:ok'));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    return { url: `redis+cluster://${addresses.join(',')}`, nodes };
  }

  clientOf(server: TestServer): Redis {
    const client = new Redis(server.url);
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** Started, and connected to its store. */
  async service(url: string): Promise<SettingsService<MetricsSettings>> {
    const made = new SettingsService({
      schema: metricsSettings,
      store: new RedisSettingsStore({ url }),
      lastKnownGoodPath: false,
    });
    this.#services.push(made);
    await made.start();
    // A start gives up its wait after 2 s, and the store follows when it answers.
    await until(() => made.status.state === 'ready');
    return made;
  }

  async close(): Promise<void> {
    await Promise.all(this.#services.splice(0).map((each) => each.close()));
    for (const client of this.#clients.splice(0)) client.disconnect();
    await Promise.all(this.#servers.splice(0).map((each) => each.stop()));
  }
}
