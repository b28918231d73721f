import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { settingsTable } from '../../src/config/settings-table.ts';
import { parseCodeValue } from '../../src/config/setting.ts';

describe('the table of settings', () => {
  it('names every key, path and variable once', () => {
    for (const names of [
      settingsTable.map((setting) => setting.key),
      settingsTable.map((setting) => setting.path),
      // One variable may set the same option of several stores, of which one is configured.
      [
        ...new Set(
          settingsTable.flatMap(({ env, key }) =>
            env.map(
              (variable) => `${variable} ${key.replace(/^metrics\.(influxdb|clickhouse)\./, '')}`,
            ),
          ),
        ),
      ].map((pair) => pair.split(' ')[0]),
    ]) {
      assert.equal(new Set(names).size, names.length);
    }
    for (const { env } of settingsTable) assert.ok(env.length > 0);
  });

  it('has defaults that its own rules accept', () => {
    for (const setting of settingsTable) {
      if (setting.default === undefined) continue;
      const parsed = parseCodeValue(setting.kind, setting.default);
      assert.deepEqual(parsed, { ok: true, value: setting.default }, setting.key);
    }
  });

  it('names exactly the leaves of the type', () => {
    const files = [
      'token-meter-config.ts',
      'settings/clickhouse.ts',
      'settings/influxdb.ts',
      'settings/spool.ts',
      'settings/sqlite.ts',
      'settings/prices.ts',
    ];
    const source = files
      .map((file) => readFileSync(new URL(`../../src/config/${file}`, import.meta.url), 'utf8'))
      .join('');
    const leaves = new Set(settingsTable.map((setting) => setting.path.split('.').at(-1)));
    for (const leaf of leaves) assert.match(source, new RegExp(`readonly ${leaf}\\??:`));
  });

  it('is what the published JSON Schema and the docs say', () => {
    const file = new URL('../../config.schema.json', import.meta.url);
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), configJsonSchema());
  });
});
