import { join } from 'node:path';
import { RedisSettingsStore, SettingsService, metricsSettings } from '../../src/settings/index.ts';
import type { FleetMessage, FleetOptions } from './settings-fleet.ts';

// One process of a fleet: several instances of an application, each with connections of its own.
const {
  url,
  perProcess,
  process: name,
  directory,
  pollIntervalMs,
} = JSON.parse(process.argv[2] ?? '') as FleetOptions & { process: string };

const say = (message: FleetMessage): void => void process.send?.(message);

const services = Array.from({ length: perProcess }, (_, i) => {
  const id = `${name}-${i}`;
  const service = new SettingsService({
    schema: metricsSettings,
    store: new RedisSettingsStore({ url, ...(pollIntervalMs !== undefined && { pollIntervalMs }) }),
    lastKnownGoodPath: directory === undefined ? false : join(directory, `${id}.json`),
    instance: { id, name },
  });
  service.subscribe(({ version }) => {
    say({ type: 'applied', id, version, at: performance.timeOrigin + performance.now() });
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
    void Promise.all(services.map((service) => service.close())).then(() => process.disconnect());
  }
});
await Promise.all(services.map((service) => service.start()));
say({ type: 'ready' });
