import assert from 'node:assert/strict';
import { TokenMeterError } from '../../src/errors.ts';
import { SettingsRules } from '../../src/settings/settings-schema.ts';

const rules = new SettingsRules({
  on: { type: 'boolean', default: true, description: '' },
  rate: { type: 'number', default: 1, minimum: 0, maximum: 10, description: '' },
  note: { type: 'string', default: '', maxLength: 5, description: '' },
});

describe('the rules of a schema', () => {
  it('hold numbers and texts to their limits', () => {
    const codes = (patch: unknown): string[] => rules.problemsOf(patch).map(({ code }) => code);
    assert.deepEqual(codes({ rate: 0, note: '12345' }), []);
    assert.deepEqual(codes({ rate: 10, on: null, note: null }), []);
    for (const rate of [-0.1, 10.1, Infinity, -Infinity]) {
      assert.deepEqual(codes({ rate }), ['out_of_range'], String(rate));
    }
    assert.deepEqual(codes({ rate: Number.NaN }), ['wrong_type']);
    assert.deepEqual(codes({ note: '123456' }), ['out_of_range']);
    assert.deepEqual(codes({ rate: '1', note: 1, on: 0 }), Array<string>(3).fill('wrong_type'));
    assert.deepEqual(rules.problemsOf({ rate: 11 }), [
      { pointer: '/rate', code: 'out_of_range', detail: 'rate must be between 0 and 10' },
    ]);
  });

  it('take the last valid layer for each key, and nothing inherited', () => {
    const inherited = Object.create({ on: false }) as Record<string, unknown>;
    assert.deepEqual(rules.document(inherited, { rate: 5 }, { rate: 50, note: 'x', other: 1 }), {
      on: true,
      rate: 5,
      note: 'x',
    });
  });

  it('refuse a schema that cannot be', () => {
    for (const schema of [
      { Upper: { type: 'boolean', default: true, description: '' } },
      { __proto__x: { type: 'boolean', default: true, description: '' } },
      { constructor: { type: 'boolean', default: true, description: '' } },
      { on: { type: 'boolean', default: 'yes', description: '' } },
      { rate: { type: 'number', default: 5, maximum: 4, description: '' } },
    ]) {
      assert.throws(
        () => new SettingsRules(schema),
        (error) => error instanceof TokenMeterError && error.code === 'INVALID_OPTION',
      );
    }
  });
});
