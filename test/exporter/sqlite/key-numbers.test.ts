import assert from 'node:assert/strict';
import { KeyNumbers } from '../../../exporter/sqlite/key-numbers.ts';

type Text = string | null;

/** What the numbers of an array stand for, read from the middle of some bytes. */
function textsOf(keys: KeyNumbers, texts: readonly Text[]): readonly Text[] {
  const json = JSON.stringify(texts);
  const { numbers, end } = keys.readArray(Buffer.from(`\0${json},"rest"`), 1);
  assert.equal(end, 1 + Buffer.byteLength(json));
  return numbers.map((number) => keys.texts[number] ?? null);
}

describe('numbers of keys', () => {
  it('stand for the texts, whatever is in them', () => {
    const texts = [
      '',
      '"',
      '\\',
      '\\"',
      ',',
      ']',
      'null',
      null,
      '用户',
      '😀',
      '\ud800',
      '\n\u0000',
      '[]',
    ];
    const keys = new KeyNumbers();
    assert.deepEqual(textsOf(keys, []), []);
    assert.deepEqual(textsOf(keys, [null]), [null]);
    assert.deepEqual(textsOf(keys, texts), texts);
    assert.deepEqual(textsOf(keys, texts.toReversed()), texts.toReversed());
    assert.equal(keys.texts.length, texts.length);
  });

  it('are one for each text, in however many arrays it is', () => {
    const keys = new KeyNumbers();
    for (let day = 0; day < 20; day++) {
      const users = Array.from({ length: 3000 }, (_, user) => `user-${(user + day) * 7}`);
      assert.deepEqual(textsOf(keys, users), users);
    }
    assert.equal(new Set(keys.texts).size, keys.texts.length);
    assert.equal(keys.texts.length, 1 + 3019);
  });
});
