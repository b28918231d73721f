import { Worker } from 'node:worker_threads';

/**
 * Starts a thread that does not keep the process alive. Neither preload flags nor NODE_OPTIONS reach it:
 * a host's `--import` would be run again.
 *
 * @param file `new URL('./name-thread.ts', import.meta.url)`, which the build rewrites
 */
export function startThread(file: URL, workerData: unknown): Worker {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const worker = new Worker(file, {
    name: `token-meter ${file.pathname.replace(/^.*\/(.*)\.\w+$/, '$1')}`,
    workerData,
    env,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  worker.unref();
  return worker;
}
