import { performance } from 'node:perf_hooks';
import { WASI } from 'node:wasi';
import { wasm, type WasmMemory } from '../../src/tokens/engine/webassembly.ts';

/** Minimal WebAssembly module with a memory, where WASI writes its result. */
const MODULE = Buffer.from('0061736d01000000050301000107' + '0a01066d656d6f72790200', 'hex');
const THREAD_CPU_TIME = 3;

/**
 * Thread CPU time in milliseconds. Wall time on a shared machine includes other processes, and
 * `process.threadCpuUsage` has a resolution of ticks; the WASI clock has nanoseconds.
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
