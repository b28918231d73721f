import { influxRows } from './influx.ts';
import { startInfluxd, startVictoriaMetrics, type TestServer } from './servers.ts';

/** A real server that the exporter writes to, and a way to read its content. */
export interface WriteTarget {
  readonly binary: 'influxd' | 'victoria-metrics';
  start(): Promise<TestServer>;
  /** The harshest way to stop the server without losing acknowledged data. */
  readonly hardestEnd: NodeJS.Signals;
  /** Times of all stored records in milliseconds, in order, with one entry per duplicate. */
  times(url: string): Promise<number[]>;
}

const ascending = (times: Iterable<number>): number[] => [...times].toSorted((a, b) => a - b);

export const WRITE_TARGETS: readonly WriteTarget[] = [
  {
    binary: 'influxd',
    start: async () => await startInfluxd({ databases: ['usage'] }),
    hardestEnd: 'SIGKILL',
    times: async (url) => {
      const rows = await influxRows(url, 'usage', 'SELECT calls FROM llm_usage');
      return ascending(rows.map(({ time }) => Number(String(time).slice(0, -6))));
    },
  },
  {
    binary: 'victoria-metrics',
    start: async () => await startVictoriaMetrics(),
    // Acknowledged data stays in memory for some seconds.
    hardestEnd: 'SIGTERM',
    times: async (url) => {
      await fetch(`${url}/internal/force_flush`);
      const response = await fetch(`${url}/api/v1/export?match[]=llm_usage_calls`);
      const series = (await response.text()).trim().split('\n').filter(Boolean);
      const times = series.flatMap(
        (line) => (JSON.parse(line) as { timestamps: number[] }).timestamps,
      );
      // A resent batch may be stored twice, since equal samples are kept by default.
      return ascending(new Set(times));
    },
  },
];
