import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';

/**
 * Starts a file (path from this folder, without extension) as a thread that does not keep the process
 * alive. Neither preload flags nor NODE_OPTIONS reach it: a host's `--import` would be run again.
 */
export function startThread(name: string, workerData: unknown): Worker {
  // The build puts all threads beside this module.
  const file = import.meta.url.endsWith('.ts') ? `${name}.ts` : `${basename(name)}.js`;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const worker = new Worker(new URL(`./${file}`, import.meta.url), {
    name: `token-meter ${name}`,
    workerData,
    env,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  worker.unref();
  return worker;
}
