import { LineBuffer } from '../../exporter/influxdb/write/lines/line-buffer.ts';

/** A line of the line protocol, as the writers hand it over. */
export function lineOf(text: string): LineBuffer {
  const line = new LineBuffer();
  line.text(text);
  return line;
}
