import assert from 'node:assert/strict';
import { dialectFromPing } from '../../../exporter/influxdb/dialect.ts';

const target = { bucket: 'usage', version: 'auto' as const };

describe('the dialect of a server, from its answer to /ping', () => {
  const from = (over: object, headers: Record<string, string>, body = '', status = 204) =>
    dialectFromPing({ ...target, ...over }, { status, headers, body });

  it('is that of 1.x with Basic, for user and password or a token of both', () => {
    const headers = { 'x-influxdb-version': '1.6.7~rc0' };
    const bucket = 'usage/a week';
    const dialect = from({ bucket, username: 'ann', password: 'p' }, headers);
    assert.equal(dialect.path, '/write?db=usage&rp=a%20week&precision=n');
    assert.deepEqual(dialect.headers, { authorization: 'Basic YW5uOnA=' });
    assert.deepEqual(from({ token: 'ann:p' }, headers).headers, dialect.headers);
    assert.deepEqual(from({ token: 'jwt' }, headers).headers, { authorization: 'Bearer jwt' });
    assert.deepEqual(from({}, headers).headers, {});
  });

  it('is that of 2.x', () => {
    const headers = { 'x-influxdb-version': 'v2.7.12' };
    const dialect = from({ org: 'a & b', token: 't' }, headers);
    assert.equal(dialect.path, '/api/v2/write?org=a%20%26%20b&bucket=usage&precision=ns');
    assert.deepEqual(dialect.headers, { authorization: 'Token t' });
    assert.equal(dialect.multilineStrings, true);
  });

  it('is that of 3.x by its version, and by its header where /ping wants a token', () => {
    const body = '{"product_name":"InfluxDB 3 Core","version":"3.9.6"}';
    for (const dialect of [
      from({ token: 't' }, { 'cluster-uuid': 'x' }, body, 200),
      from({ token: 't' }, { 'cluster-uuid': 'x' }, '{"error": "…"}', 401),
    ]) {
      assert.equal(
        dialect.path,
        '/api/v3/write_lp?db=usage&precision=nanosecond&accept_partial=true',
      );
      assert.equal(dialect.fallback?.path, '/api/v2/write?bucket=usage&precision=ns');
    }
  });

  it('trusts a server that tells no version with no line breaks in strings', () => {
    assert.equal(from({}, {}).path, '/write?db=usage&precision=n');
    assert.equal(from({ token: 't' }, {}, '', 404).version, '2');
    assert.equal(from({}, {}).multilineStrings, false);
  });
});
