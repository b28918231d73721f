import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { TokenMeterError } from '../../../src/errors.ts';
import { parseRedisUrl } from '../../../src/settings/stores/redis-address.ts';

describe('the address of Redis', () => {
  it('is read in every form', () => {
    assert.deepEqual(parseRedisUrl('redis://localhost'), {
      topology: 'single',
      nodes: [{ host: 'localhost', port: 6379 }],
      tls: false,
    });
    assert.deepEqual(parseRedisUrl('rediss://app:p%40ss%3Aword@[::1]:7000/3'), {
      topology: 'single',
      nodes: [{ host: '::1', port: 7000 }],
      tls: true,
      username: 'app',
      password: 'p@ss:word',
      db: 3,
    });
    assert.deepEqual(parseRedisUrl('redis://:only-a-password@h'), {
      topology: 'single',
      nodes: [{ host: 'h', port: 6379 }],
      tls: false,
      password: 'only-a-password',
    });
    assert.deepEqual(parseRedisUrl('rediss+cluster://u:p@a:1,b:2,c'), {
      topology: 'cluster',
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: 'c', port: 6379 },
      ],
      tls: true,
      username: 'u',
      password: 'p',
    });
    assert.deepEqual(parseRedisUrl('redis+sentinel://a,b:27000/my%20group/2'), {
      topology: 'sentinel',
      nodes: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 27_000 },
      ],
      tls: false,
      db: 2,
      group: 'my group',
    });
  });

  it('is refused when wrong, without a word of what may be a password', () => {
    for (const [url, reason] of [
      ['', /cannot be read/],
      ['http://user:canary@host', /cannot be read/],
      ['redis://user:canary', /names no usable host/],
      ['redis://user:canary@', /names no usable host/],
      ['redis://user:canary@host:99999', /names no usable host/],
      ['redis://user:canary@host:x', /names no usable host/],
      ['redis://user:canary@a,,b', /names no usable host/],
      ['redis://user:canary@host/db', /no database number/],
      ['redis://user:canary@host/1/2', /no database number/],
      ['redis://user:canary%zz@host', /percent-encoded/],
      ['redis+sentinel://user:canary@host', /no Sentinel group/],
    ] as const) {
      assert.throws(
        () => parseRedisUrl(url),
        (error) => {
          assert.ok(error instanceof TokenMeterError && error.code === 'INVALID_OPTION', url);
          assert.match(error.message, reason, url);
          assert.match(error.allowed ?? '', /redis\+cluster:\/\//);
          assert.doesNotMatch(inspect(error), /canary/);
          return true;
        },
      );
    }
  });
});
