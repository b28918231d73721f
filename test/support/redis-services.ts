import { Redis } from 'ioredis';
import {
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  metricsSettings,
} from '../../src/settings/index.ts';
import type { TestServer } from './servers.ts';
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
