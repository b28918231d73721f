import assert from 'node:assert/strict';
import { declaredNode } from '../../src/config/declared-node.ts';
import { properties } from '../support/config-properties.ts';

const OURS = {
  enabled: true,
  counting: 'never',
  metric_attributes: ['user.id'],
  model_aliases: { mine: 'gpt-4o' },
  prices: { refresh_interval: 120, currency: 'EUR' },
};

describe('the configuration that an SDK hands over', () => {
  for (const name of ['otel-token-meter', 'token_meter']) {
    const js = { http: { enabled: false }, [name]: OURS };
    const ways = {
      'an accessor of the named block': (asked?: string) =>
        properties(asked === name ? OURS : undefined),
      'an accessor of all': () => properties({ general: {}, js }),
      'a plain object of the named block': (asked?: string) => (asked === name ? OURS : {}),
      'a plain object of all': () => ({ general: {}, js }),
    };
    for (const [way, getInstrumentationConfig] of Object.entries(ways)) {
      it(`is read as ${way}, under ${name}`, () => {
        assert.deepEqual(declaredNode({ getInstrumentationConfig }), OURS);
      });
    }
  }

  it('keeps unknown keys, to be reported, and leaves a value of another type to the accessor', () => {
    const reported: string[] = [];
    const given = { ours: 1, counting: 3, prices: { curency: 'EUR' } };
    const node = declaredNode({
      getInstrumentationConfig: () => properties(given, (key) => reported.push(key)),
    });
    assert.deepEqual(node, { ours: '', counting: undefined, prices: { curency: '' } });
    assert.deepEqual(reported, ['counting']);
  });

  it('may be absent', () => {
    for (const given of [undefined, null, {}, 'text', { js: { http: {} } }, properties({})]) {
      assert.equal(declaredNode({ getInstrumentationConfig: () => given }), undefined);
    }
  });
});
