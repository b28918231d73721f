import { influxRows } from './influx.ts';
import { startInfluxd, startVictoriaMetrics, type TestServer } from './servers.ts';

/** A real server that the exporter writes to, and how to read what is in it. */
export interface WriteTarget {
  readonly binary: 'influxd' | 'victoria-metrics';
  start(): Promise<TestServer>;
  /** The hardest end that loses nothing of what the server has answered for. */
  readonly hardestEnd: NodeJS.Signals;
  /** Milliseconds of every stored record in order, one entry for each time that a reader would see it. */
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
    // It keeps what it answered 204 to for some seconds in memory only.
    hardestEnd: 'SIGTERM',
    times: async (url) => {
      await fetch(`${url}/internal/force_flush`);
      const response = await fetch(`${url}/api/v1/export?match[]=llm_usage_calls`);
      const series = (await response.text()).trim().split('\n').filter(Boolean);
      const times = series.flatMap(
        (line) => (JSON.parse(line) as { timestamps: number[] }).timestamps,
      );
      // A batch that was resent may be there twice: it keeps equal samples until told otherwise.
      return ascending(new Set(times));
    },
  },
];
