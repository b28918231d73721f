import assert from 'node:assert/strict';
import { recordId } from '../../src/usage/record-id.ts';

/** RFC 9562: version 7, variant 10. */
const UUID_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('recordId', () => {
  for (const ms of [0, 1, 1_790_000_000_000.75, 2 ** 47 + 12_345, 2 ** 48 - 1]) {
    it(`is a UUIDv7 of ${ms} ms`, () => {
      const id = recordId(ms);
      assert.match(id, UUID_7);
      assert.equal(Number.parseInt(id.slice(0, 13).replace('-', ''), 16), Math.trunc(ms));
    });
  }

  it('is another one each time, also when the random bytes are drawn anew', () => {
    const ids = Array.from({ length: 2000 }, () => recordId(1_790_000_000_000));
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every((id) => UUID_7.test(id)));
  });
});
