import assert from 'node:assert/strict';
import { repriceInfluxLedger } from '../../exporter/influxdb/reprice/influx-reprice.ts';
import { InfluxUsageReader } from '../../exporter/influxdb/read/influx-usage-reader.ts';
import { PointLayout } from '../../exporter/influxdb/read/point-layout.ts';
import { recordOfPoint } from '../../exporter/influxdb/read/stored-point.ts';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { QueryContract } from '../support/query-contract.ts';
import { requireServer, startInfluxd, type TestServer } from '../support/servers.ts';
import { usageRecord } from '../support/usage-logs.ts';

const T0 = Date.parse('2026-11-01T10:00:00Z');

/** A tag of one process took the name of an attribute of another, whose values were read as nothing. */
describe('an attribute with the name of a tag of another process', () => {
  let influxd: TestServer;
  /** By the tags of their process. */
  const tagged: readonly (readonly [Record<string, string>, UsageRecord])[] = [
    [{ region: 'eu', zone: 'a' }, usageRecord(T0, { attributes: { region: 'north', floor: 3 } })],
    [{}, usageRecord(T0 + 1000, { attributes: { region: 'south', attr_region: 'west' } })],
    [{}, usageRecord(T0 + 2000, { attributes: { region: 7, region_1: true, zone: '' } })],
    [{ region_1: 'us' }, usageRecord(T0 + 3000, { attributes: { region_1: 'x' } })],
    [{ floor: '1' }, usageRecord(T0 + 4000, { attributes: { model: 'own', note: 'plain' } })],
  ];
  // A field has one type in the store.
  const written = tagged.map(([tags, record]) => [
    tags,
    { ...record, attributes: mapped(record.attributes) },
  ]) as typeof tagged;

  function mapped(attributes: UsageRecord['attributes']): UsageRecord['attributes'] {
    return Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, String(value)]),
    );
  }

  before(async function () {
    requireServer(this, 'influxd');
    influxd = await startInfluxd({ databases: ['usage'] });
    for (const [tags, record] of written) {
      const lines = new UsageLineWriter({
        tags,
        maxUserTags: 10,
        maxDimensionTags: 10,
        onCleaned() {},
      });
      const body = String(lines.line(record));
      const response = await fetch(`${influxd.url}/write?db=usage`, { method: 'POST', body });
      assert.equal(response.status, 204, await response.text());
    }
  });
  after(async () => await influxd?.stop());

  const newestFirst = written.map(([, record]) => record).toReversed();

  it('is read back as it was written', async () => {
    const reader = new InfluxUsageReader({ url: influxd.url, bucket: 'usage' });
    const { records } = await reader.records();
    await reader.close();
    assert.deepEqual(records, newestFirst);
  });

  it('is read back by the contract of InfluxDB 2.x', async () => {
    const contract = await QueryContract.start('2', influxd.url);
    contract.buckets = [{ name: 'usage', org: 'acme' }];
    const { url, token } = contract;
    const reader = new InfluxUsageReader({ url, bucket: 'usage', org: 'acme', token });
    const { records } = await reader.records();
    await reader.close();
    await contract.stop();
    assert.deepEqual(records, newestFirst);
  });

  it('is known to a new price', async () => {
    const seen: UsageRecord[] = [];
    const costOf = (record: UsageRecord): undefined => void seen.push(record);
    const options = { url: influxd.url, bucket: 'usage', costOf, dryRun: true };
    await repriceInfluxLedger(options);
    const inOrder = seen.toSorted((a, b) => (a.time < b.time ? 1 : -1));
    assert.deepEqual(inOrder, newestFirst);
  });

  it('is told from a tag that came while the records were read', () => {
    const columns = ['time', 'calls', 'region', 'model', 'region_1'];
    const layout = new PointLayout(columns, ['added', 'model', 'region', 'zone']);
    const time = '2026-11-01T10:00:00Z';
    const tagged = layout.point([time, 1, null, 'gpt-4o', 'eu']);
    assert.deepEqual(Object.fromEntries(tagged.tags), { model: 'gpt-4o', region: 'eu' });
    const { attributes, requestModel } = recordOfPoint(
      layout.point([time, 1, 'north', 'gpt-4o', '']),
    );
    assert.deepEqual(attributes, { region: 'north' });
    assert.equal(requestModel, 'gpt-4o');
  });
});
