import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { AppPlan } from './exporter-app.ts';

interface AppStatus {
  readonly emitted: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly state: string;
  readonly volatile: number;
  readonly rss: number;
}

export interface RunningExporterApp {
  readonly process: ChildProcess;
  /** The last status it printed. */
  readonly status: AppStatus | undefined;
  /** Largest resident set it printed. */
  readonly maxRss: number;
  /** Errors and warnings of the process. */
  readonly stderr: string;
  ended(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts `exporter-app.ts` as a separate process. */
export function runExporterApp(plan: AppPlan): RunningExporterApp {
  const script = new URL('./exporter-app.ts', import.meta.url).pathname;
  const args = ['--conditions=otel-token-meter/source', script, JSON.stringify(plan)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let status: AppStatus | undefined;
  let maxRss = 0;
  let stderr = '';
  createInterface(child.stdout).on('line', (line) => {
    status = JSON.parse(line) as AppStatus;
    maxRss = Math.max(maxRss, status.rss);
  });
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = once(child, 'close');
  return {
    process: child,
    get status() {
      return status;
    },
    get maxRss() {
      return maxRss;
    },
    get stderr() {
      return stderr;
    },
    async ended() {
      const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
      return { code, signal };
    },
  };
}
