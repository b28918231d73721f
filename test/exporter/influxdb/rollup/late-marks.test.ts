import assert from 'node:assert/strict';
import { LateMarks, ON_THE_WAY } from '../../../../exporter/influxdb/rollup/late-marks.ts';
import type { LineChunk } from '../../../../exporter/spool/line-queue.ts';
import { rollUpPlace } from '../../../support/influx-roll-ups.ts';

const PLACE = rollUpPlace('llm');
const NOW = Date.parse('2026-10-26T12:04:00Z');

const ns = (time: string, below = '123456'): string => `${Date.parse(time)}${below}`;
const chunk = (...lines: string[]): LineChunk => ({
  body: Buffer.from(lines.map((line) => `${line}\n`).join('')),
  lines: lines.length,
  multiline: false,
});

function markedHours(chunks: readonly LineChunk[], now: number = NOW): readonly string[] {
  const marks = new LateMarks(PLACE, ON_THE_WAY, () => now).before(chunks);
  const lines = String(marks?.chunk.body ?? '').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      assert.match(line, /^llm_usage_rollup_marks at=\d+i,marker="exporter" \d{18,19}$/);
      return new Date(Number(line.slice(line.lastIndexOf(' '), -6))).toISOString().slice(0, 13);
    });
}

describe('marks of late calls', () => {
  it('are for hours that ended more than five minutes ago', () => {
    const lines = [
      `llm_usage calls=1i ${ns('2026-10-26T12:03:59Z')}`,
      `llm_usage calls=1i ${ns('2026-10-26T11:00:00Z')}`,
      `llm_usage calls=1i ${ns('2026-10-26T10:59:59.999Z')}`,
      `llm_usage calls=1i ${ns('2026-10-26T10:10:00Z')}`,
      `llm_usage calls=1i ${ns('2026-09-01T00:00:00Z')}`,
    ];
    assert.deepEqual(markedHours([chunk(...lines)]), ['2026-10-26T10', '2026-09-01T00']);
    assert.deepEqual(markedHours([chunk(lines[1] ?? '')], NOW + 60_001), ['2026-10-26T11']);
    assert.deepEqual(markedHours([chunk(lines[0] ?? ''), chunk(lines[4] ?? '')]), [
      '2026-09-01T00',
    ]);
  });

  it('knows times before 2001, and no other line break', () => {
    assert.deepEqual(markedHours([chunk(`llm_usage calls=1i ${ns('2000-01-01T00:30:00Z')}`)]), [
      '2000-01-01T00',
    ]);
    assert.deepEqual(markedHours([chunk('llm_usage text="1\n2', '" 3"')]), []);
  });

  it('are not made twice within five minutes, and again where they were not stored', () => {
    let now = NOW;
    const marks = new LateMarks(PLACE, ON_THE_WAY, () => now);
    const late = [chunk(`llm_usage calls=1i ${ns('2026-10-26T09:00:00Z')}`)];
    const first = String(marks.before(late)?.chunk.body);
    const second = marks.before(late);
    assert.notEqual(String(second?.chunk.body), first);
    second?.stored();
    assert.equal(marks.before(late), undefined);
    now += 300_000;
    assert.ok(marks.before(late));
  });
});
