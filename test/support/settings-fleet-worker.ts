import { join } from 'node:path';
import { Redis } from 'ioredis';
import { RedisSettingsStore, SettingsService, metricsSettings } from '../../src/settings/index.ts';
import type { FleetMessage, FleetOptions } from './settings-fleet.ts';

// One process of a fleet: several instances of an application with separate connections.
const {
  url,
  perProcess,
  process: name,
  directory,
  pollIntervalMs,
  bareChannel,
} = JSON.parse(process.argv[2] ?? '') as FleetOptions & { process: string };

const say = (message: FleetMessage): void => void process.send?.(message);

const now = (): number => performance.timeOrigin + performance.now();

const services = Array.from({ length: perProcess }, (_, i) => {
  const id = `${name}-${i}`;
  const service = new SettingsService({
    schema: metricsSettings,
    store: new RedisSettingsStore({ url, ...(pollIntervalMs !== undefined && { pollIntervalMs }) }),
    lastKnownGoodPath: directory === undefined ? false : join(directory, `${id}.json`),
    instance: { id, name },
  });
  service.subscribe(({ version }) => {
    say({ type: 'applied', id, version, at: now() });
  });
  return service;
});

process.on('message', (message: 'read' | 'close') => {
  if (message === 'read') {
    const states = services.map((service) => ({
      id: service.instanceId,
      version: service.version,
      settings: service.get(),
      state: service.status.state,
    }));
    say({ type: 'states', states });
  } else {
    for (const client of bare) client.disconnect();
    void Promise.all(services.map((service) => service.close())).then(() => process.disconnect());
  }
});
await Promise.all(services.map((service) => service.start()));

const bare = bareChannel === undefined ? [] : services.map(() => new Redis(url));
for (const [i, client] of bare.entries()) {
  client.on('message', (_channel, message) => {
    say({ type: 'heard', id: services[i]!.instanceId, version: Number(message), at: now() });
  });
  await client.subscribe(bareChannel ?? '');
}
say({ type: 'ready' });
