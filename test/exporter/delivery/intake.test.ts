import assert from 'node:assert/strict';
import { Intake } from '../../../exporter/delivery/intake.ts';
import { LineBuffer } from '../../../exporter/influxdb/write/lines/line-buffer.ts';
import type { LineChunk } from '../../../exporter/spool/line-queue.ts';
import { until } from '../../support/until.ts';

describe('Intake', () => {
  const line = new LineBuffer();
  let chunks: LineChunk[];
  let intake: Intake;
  beforeEach(() => {
    chunks = [];
    intake = new Intake((chunk) => void chunks.push(chunk));
  });

  function add(text: string): void {
    line.clear();
    line.text(text);
    intake.add(line);
  }
  const facts = (): unknown[] => chunks.map(({ lines, multiline }) => [lines, multiline]);
  const texts = (): string[] => chunks.map(({ body }) => String(body));

  it('gathers lines for a moment', async () => {
    add('a');
    add('b');
    assert.deepEqual(chunks, []);
    await until(() => chunks.length > 0);
    assert.deepEqual(texts(), ['a\nb\n']);
    assert.deepEqual(facts(), [[2, false]]);
  });

  it('tells of a line break inside a line', () => {
    line.clear();
    line.text('a v=');
    line.quoted('x\ny');
    intake.add(line);
    intake.cut();
    add('b v=1i');
    intake.cut();
    assert.deepEqual(facts(), [
      [1, true],
      [1, false],
    ]);
  });

  it('cuts by lines and by bytes, and takes a line of any length', () => {
    for (let i = 0; i < 1001; i++) add('x');
    assert.deepEqual(
      chunks.map(({ lines }) => lines),
      [1000],
    );
    const long = 'y'.repeat(200_000);
    for (let i = 0; i < 4; i++) add(long);
    assert.deepEqual(texts().slice(1), [`x\n${long}\n${long}\n`]);
    const longest = 'z'.repeat(900_000);
    add(longest);
    add('w');
    intake.cut();
    assert.deepEqual(texts().slice(2), [`${long}\n${long}\n`, `${longest}\n`, 'w\n']);
  });

  it('leaves a chunk alone until it is given back, and then writes into its memory', () => {
    const long = 'x'.repeat(1000);
    const fill = (mark: string): LineChunk => {
      while (chunks.length === 0) add(mark + long);
      return chunks.pop() ?? assert.fail();
    };
    const [first, second] = [fill('a'), fill('b')];
    assert.ok(first.body.buffer !== second.body.buffer);
    const [before, after] = [String(first.body), String(second.body)];
    // The line that found no room begins the next chunk, which has its memory already.
    const third = fill('c');
    assert.ok(String(first.body) === before && String(second.body) === after);
    first.recycle?.();
    fill('d');
    assert.ok(fill('e').body.buffer === first.body.buffer);
    assert.ok(String(second.body) === after);
    assert.match(String(third.body).slice(0, 4000), /^(bx+\n)(cx+\n)+/);
  });

  it('does not hold the memory of many lines for few', () => {
    add('a');
    intake.cut();
    add('b');
    intake.cut();
    assert.deepEqual(texts(), ['a\n', 'b\n']);
    assert.ok(chunks.every(({ body, recycle }) => body.buffer.byteLength === 2 && !recycle));
  });
});
