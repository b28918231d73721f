import assert from 'node:assert/strict';
import { parseRetryAfter } from '../../../../../exporter/delivery/retry-after.ts';
import { explain, judge } from '../../../../../exporter/influxdb/write/delivery/answers.ts';
import { BackOff } from '../../../../../exporter/delivery/back-off.ts';

const NOW = Date.parse('2026-11-01T10:00:00Z');

describe('what an answer to a write means', () => {
  const verdict = (status: number, body = '', headers: Record<string, string> = {}) =>
    judge({ status, body, headers }, NOW);

  for (const [kind, statuses] of Object.entries({
    stored: [200, 201, 202, 204],
    later: [408, 425, 429, 500, 502, 503, 504, 599],
    attention: [301, 302, 307, 401, 403, 404, 405, 410, 414, 431],
    tooLarge: [413],
    plain: [415],
    refused: [400, 422],
  })) {
    it(`is ${kind} for ${statuses.join(', ')}`, () => {
      for (const status of statuses) assert.equal(verdict(status).kind, kind, `${status}`);
    });
  }

  it('does not take a page for a success', () => {
    assert.equal(
      verdict(200, '<!doctype html>', { 'content-type': 'text/html' }).kind,
      'attention',
    );
  });

  it('tells lines that are too old from others', () => {
    const refused = { kind: 'refused', reason: 'refused' };
    const beyond = { kind: 'refused', reason: 'beyond_retention' };
    assert.deepEqual(
      verdict(400, 'partial write: points beyond retention policy dropped=1'),
      beyond,
    );
    assert.deepEqual(verdict(422, 'dropped 1 points outside retention policy of duration'), beyond);
    assert.deepEqual(verdict(400, 'partial write: field type conflict'), refused);
  });

  it('reads Retry-After as seconds or a date, within ten minutes', () => {
    assert.equal(parseRetryAfter('30', NOW), 30_000);
    assert.equal(parseRetryAfter(' 1.5 ', NOW), 1500);
    assert.equal(parseRetryAfter('Sun, 01 Nov 2026 10:00:30 GMT', NOW), 30_000);
    assert.equal(parseRetryAfter('Sun, 01 Nov 2026 09:00:00 GMT', NOW), 0);
    assert.equal(parseRetryAfter('86400', NOW), 600_000);
    assert.equal(parseRetryAfter('soon', NOW), undefined);
    assert.equal(parseRetryAfter(undefined, NOW), undefined);
  });

  it('explains without the line that the server quotes', () => {
    const body = JSON.stringify({ error: "unable to parse 'm,user=ann v=oops': invalid number" });
    const text = explain({ status: 400, body, headers: {} });
    assert.equal(text, "HTTP 400: unable to parse '…': invalid number");
    assert.equal(explain({ status: 503, body: '', headers: {} }), 'HTTP 503');
    assert.ok(explain({ status: 400, body: 'x'.repeat(70_000), headers: {} }).length < 230);
  });
});

describe('the pauses between failed attempts', () => {
  it('double to a limit, half of each at random, and begin anew after a success', () => {
    let random = 1;
    const backOff = new BackOff({ firstMs: 500, maxMs: 4000, random: () => random });
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => backOff.fail()),
      [500, 1000, 2000, 4000, 4000],
    );
    random = 0;
    assert.equal(backOff.fail(), 2000);
    assert.equal(backOff.fail(9000), 9000);
    assert.equal(backOff.failures, 7);
    backOff.succeed();
    assert.equal(backOff.fail(), 250);
  });
});
