import type { FileHandle } from 'node:fs/promises';
import { realFs, type SpoolFs } from '../../exporter/spool/spool-fs.ts';

/** Of a file system, or (from `write` on) of an open file. */
type FaultyCall = keyof SpoolFs | 'write' | 'read' | 'datasync';
export type Fault = (call: FaultyCall, path: string) => Promise<void> | void;

export function errorOf(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by the test`), { code });
}

/** A file system on which each call first does what `fault` says: throw, wait, or nothing. */
export function faultFs(fault: Fault): SpoolFs {
  const wrapped = Object.fromEntries(
    Object.entries(realFs).map(([name, call]) => [
      name,
      async (path: string, ...rest: unknown[]) => {
        await fault(name as keyof SpoolFs, path);
        const result: unknown = await (call as (...args: unknown[]) => unknown)(path, ...rest);
        return name === 'open' ? faultHandle(result as FileHandle, path, fault) : result;
      },
    ]),
  );
  return wrapped as unknown as SpoolFs;
}

function faultHandle(handle: FileHandle, path: string, fault: Fault): FileHandle {
  const original = handle as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const before = (call: FaultyCall, name: string): ((...args: unknown[]) => Promise<unknown>) => {
    const work = original[name]?.bind(handle);
    return async (...args) => {
      await fault(call, path);
      return await work?.(...args);
    };
  };
  return Object.assign(handle, {
    writev: before('write', 'writev'),
    read: before('read', 'read'),
    datasync: before('datasync', 'datasync'),
  }) as FileHandle;
}
