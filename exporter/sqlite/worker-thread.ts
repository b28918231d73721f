import { Worker } from 'node:worker_threads';

/**
 * Starts a file of this folder (name without extension) as a thread that does not keep the process
 * alive. Neither preload flags nor NODE_OPTIONS reach it: a host's `--import` would be run again.
 */
export function startThread(name: string, workerData: unknown): Worker {
  // Run from source the file is .ts, from the package it is .js.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const { NODE_OPTIONS: _, ...env } = process.env;
  const worker = new Worker(new URL(`./${name}.${extension}`, import.meta.url), {
    name: `token-meter ${name}`,
    workerData,
    env,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  worker.unref();
  return worker;
}
