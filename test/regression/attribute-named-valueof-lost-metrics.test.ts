import assert from 'node:assert/strict';
import { MetricLineWriter } from '../../exporter/influxdb/write/lines/metric-lines.ts';
import { collectedMetrics } from '../support/collected-metrics.ts';

/** A name of `Object.prototype` was taken for a known one, and the whole collection failed. */
describe('regression: an attribute named like a member of every object', () => {
  for (const name of ['valueOf', 'constructor', 'toString', '__proto__']) {
    it(`${name} becomes a tag like any other`, () => {
      const writer = new MetricLineWriter({
        tags: {},
        maxUserTags: 1,
        onCleaned: assert.fail,
        onUnwritable: assert.fail,
      });
      const attributes = Object.fromEntries([[name, 'x']]);
      const [line] = writer.lines(collectedMetrics('m', [[attributes, 1]]));
      const tag = name.startsWith('_') ? `attr_${name}` : name;
      assert.match(String(line), new RegExp(`,${tag}=x`));
    });
  }
});
