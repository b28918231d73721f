import assert from 'node:assert/strict';
import fc from 'fast-check';
import { quoteString } from '../../../../../exporter/influxdb/write/lines/escaping.ts';
import { LineBuffer } from '../../../../../exporter/influxdb/write/lines/line-buffer.ts';
import { hostileText } from '../../../../support/hostile-text.ts';

const written = (write: (line: LineBuffer) => void): string => {
  const line = new LineBuffer();
  line.text('before ');
  write(line);
  line.text(' behind');
  return line.toString();
};

describe('a line as bytes', () => {
  it('holds any text as UTF-8 has it', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        assert.equal(
          written((line) => line.text(text)),
          `before ${text.toWellFormed()} behind`,
        );
      }),
    );
  });

  it('quotes as the rules of escaping say, and takes nothing that is too long', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        let taken = true;
        const line = written((one) => (taken = one.quoted(text)));
        const quoted = quoteString(text);
        assert.equal(taken, quoted !== undefined);
        assert.equal(line, `before ${quoted ?? ''} behind`);
      }),
    );
  });

  it('writes numbers as the language does', () => {
    const integers = fc.oneof(
      fc.maxSafeInteger(),
      fc.nat(),
      fc.constantFrom(0, 9, 10, 99, 100, 999_999_999, 1e9, -1, 2 ** 31, 2 ** 53 - 1),
    );
    fc.assert(
      fc.property(integers, (value) => {
        const expected = `before ${value} behind`;
        assert.equal(
          written((line) => line.integer(value)),
          expected,
        );
        assert.equal(
          written((line) => line.float(value)),
          expected,
        );
      }),
    );
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, (value) => {
        assert.equal(
          written((line) => line.float(value)),
          `before ${String(value)} behind`,
        );
      }),
    );
  });

  it('is used again for lines of any length', () => {
    const line = new LineBuffer();
    for (const length of [10, 1_000_000, 3, 5000, 5001]) {
      const text = 'ü'.repeat(length);
      line.clear();
      line.bytes(Buffer.from('a,b=c '));
      line.text(text);
      const target = Buffer.alloc(line.length + 2);
      line.copyTo(target, 1);
      assert.equal(target.toString(), `\0a,b=c ${text}\0`);
      line.cutTo(1);
      assert.equal(line.toString(), 'a');
    }
  });
});
