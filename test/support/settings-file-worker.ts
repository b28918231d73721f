import { FileSettingsStore, SettingsService } from '../../src/settings/index.ts';

// One of several processes that change the same settings file concurrently.
const [path = '', name = '', count = '0'] = process.argv.slice(2);
const settings = new SettingsService<{ limit: number }>({
  schema: { limit: { type: 'number', default: 0, description: 'Differs at every change' } },
  store: new FileSettingsStore({ path }),
  instance: { id: name },
});
await settings.start();
for (let i = 1; i <= Number(count); i++) {
  await settings.patch({ limit: Number(process.pid) + i / 1000 }, { actor: name });
}
await settings.close();
