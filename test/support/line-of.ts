import { LineBuffer } from '../../exporter/influxdb/write/lines/line-buffer.ts';

/** A line in line protocol, as produced by the writers. */
export function lineOf(text: string): LineBuffer {
  const line = new LineBuffer();
  line.text(text);
  return line;
}
