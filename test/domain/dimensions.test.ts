import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dimensionNames, dimensionValue, isDimensionName } from '../../src/domain/dimensions.ts';

describe('names of dimensions', () => {
  it('fit a column, a tag and a member of an object', () => {
    for (const name of ['feature', 'a', 'cost_centre_2', 'a'.repeat(32)]) {
      assert.ok(isDimensionName(name), name);
    }
    for (const name of [
      '',
      'Feature',
      '2nd',
      '_x',
      'a-b',
      'a.b',
      "a'b",
      'a"b',
      'a b',
      'a'.repeat(33),
      'constructor',
      '__proto__',
      'größe',
      'feature\n',
    ]) {
      assert.ok(!isDimensionName(name), name);
    }
  });

  it('are each listed once, and the team is not among them', () => {
    assert.deepEqual(dimensionNames(['feature', 'team', 'tenant', 'feature']), [
      'feature',
      'tenant',
    ]);
  });
});

describe('values of dimensions', () => {
  it('are texts, numbers and ids', () => {
    const value = (given: unknown): string | undefined => dimensionValue(given)?.value;
    assert.equal(value('search'), 'search');
    assert.equal(value(7), '7');
    assert.equal(value(7n), '7');
    assert.equal(
      value({ toHexString: () => '507f1f77bcf86cd799439011' }),
      '507f1f77bcf86cd799439011',
    );
    for (const nothing of ['', undefined, null, true, {}, [], () => 'x', Symbol('x')]) {
      assert.equal(value(nothing), undefined);
    }
  });

  it('are cut to 256 characters, never inside one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }), (text) => {
        const { value = '', isCut } = dimensionValue(text) ?? {};
        assert.ok(value.length <= 256 && value.isWellFormed());
        assert.ok(text.toWellFormed().startsWith(value));
        assert.equal(isCut, text.length > 256);
        assert.ok(!isCut || value.length >= 255);
      }),
      { numRuns: 50 },
    );
    assert.equal(dimensionValue(`${'a'.repeat(255)}😀`)?.value, 'a'.repeat(255));
    assert.equal(dimensionValue('\ud800')?.value, '\ufffd');
  });
});
