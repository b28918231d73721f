import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { resolveInfluxOptions } from '../../../exporter/influxdb/influx-options.ts';

describe('options of InfluxDB', () => {
  const resolve = (url: string, more: object = {}): ReturnType<typeof resolveInfluxOptions> =>
    resolveInfluxOptions('Test', { url, bucket: 'usage', ...more });

  it('keep the login of an address apart from it', () => {
    const { url, username, password } = resolve('http://me:hush%2Fhush@db.example:8086/influx/');
    assert.deepEqual(
      [url, username, password],
      ['http://db.example:8086/influx', 'me', 'hush/hush'],
    );
    assert.equal(resolve('http://me:100%@db.example').password, '100%');
    const told = resolve('http://me:hush@db.example', { username: 'you', password: 'other' });
    assert.deepEqual([told.username, told.password], ['you', 'other']);
    assert.equal('username' in resolve('http://db.example'), false);
  });

  it('show no password in an error', () => {
    assert.throws(
      () => resolve('htp://me:hush@db.example'),
      (error: unknown) => !inspect(error).includes('hush') && inspect(error).includes('db.example'),
    );
  });
});
