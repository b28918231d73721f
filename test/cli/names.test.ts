import assert from 'node:assert/strict';
import { displayWidth, fitWidth, padEnd } from '../../src/cli/display-width.ts';
import { shownName } from '../../src/cli/shown-number.ts';
import { textTable } from '../../src/cli/text-table.ts';

const FSI = '\u2068';
const PDI = '\u2069';

describe('names in a terminal', () => {
  it('are isolated if they are written from right to left, and unchanged otherwise', () => {
    assert.equal(shownName('أحمد'), `${FSI}أحمد${PDI}`);
    assert.equal(shownName('user שלום 1'), `${FSI}user שלום 1${PDI}`);
    for (const name of ['ann', '小明', 'žofie', '😀']) assert.equal(shownName(name), name);
  });

  it('cannot end their isolation, or turn the line around', () => {
    for (const control of ['\u202A', '\u202E', '\u2066', '\u2067', FSI, PDI, '\u202C']) {
      assert.equal(shownName(`a${control}b`), 'a\uFFFDb');
      assert.equal(shownName(`א${control}b`), `${FSI}א\uFFFDb${PDI}`);
    }
  });

  it('take the columns that they show', () => {
    const name = shownName('אבג');
    assert.equal(displayWidth(name), 3);
    assert.equal(displayWidth(padEnd(name, 6)), 6);
    const [head, first, second] = textTable(
      ['user', 'calls'],
      [
        [name, '1'],
        ['someone', '2'],
      ],
      ['calls'],
    ).split('\n');
    assert.equal(displayWidth(first ?? ''), displayWidth(second ?? ''));
    assert.equal(displayWidth(head ?? ''), displayWidth(second ?? ''));
  });

  it('are isolated also where they are cut', () => {
    const cut = fitWidth(`${shownName('אבגדהוזח')} / ${shownName('ann')}`, 5);
    assert.equal(cut, `${FSI}אבגד…${PDI}`);
    assert.equal(displayWidth(cut), 5);
    assert.equal(fitWidth(`${shownName('אב')} / something`, 6), `${FSI}אב${PDI} / …`);
  });
});
