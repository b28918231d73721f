import { performance } from 'node:perf_hooks';
import { WASI } from 'node:wasi';
import { wasm, type WasmMemory } from '../../src/tokens/engine/webassembly.ts';

/** The smallest WebAssembly module with a memory: it lends WASI a place for its answer. */
const MODULE = Buffer.from('0061736d01000000050301000107' + '0a01066d656d6f72790200', 'hex');
const THREAD_CPU_TIME = 3;

/**
 * Milliseconds this thread has worked. On a shared machine wall time measures the neighbours too,
 * and `process.threadCpuUsage` counts in ticks; WASI has the clock in nanoseconds.
 */
export const workedMs: () => number = createClock();

function createClock(): () => number {
  try {
    if (wasm === undefined) throw new Error('no WebAssembly');
    const wasi = new WASI({ version: 'preview1' });
    const { exports } = new wasm.Instance(new wasm.Module(MODULE), {});
    wasi.initialize({ exports });
    const view = new DataView((exports as { memory: WasmMemory }).memory.buffer);
    const getTime = wasi.wasiImport['clock_time_get'] as (...given: unknown[]) => number;
    const now = () =>
      getTime(THREAD_CPU_TIME, 1n, 0) === 0 ? Number(view.getBigUint64(0, true)) / 1e6 : NaN;
    return Number.isNaN(now()) ? () => performance.now() : now;
  } catch {
    return () => performance.now();
  }
}
