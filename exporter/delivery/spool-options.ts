import { resolve as resolvePath } from 'node:path';
import type { OptionChecks } from '../connection/option-checks.ts';

export interface SpoolOptions {
  /**
   * Folder of the spool; made when missing. Any number of processes and threads may share it.
   * @default '.token-meter/spool'
   */
  readonly directory?: string | undefined;
  /** Bound on disk over all processes that share the folder. Minimum 65536. @default 1 GiB */
  readonly maxBytes?: number | undefined;
  /**
   * When segments are forced to the disk. A crash of the process never loses an accepted record; this
   * is about power cuts. @default 'interval', every second
   */
  readonly fsync?: 'never' | 'interval' | 'always' | undefined;
  /** What gives way when the bound is reached. @default 'drop-oldest' */
  readonly whenFull?: 'drop-oldest' | 'refuse' | undefined;
}

/** The spool as the configuration file has it. */
export interface SpoolConfig extends SpoolOptions {
  readonly enabled: boolean;
}

export type ResolvedSpoolOptions = Readonly<{
  directory: string;
  maxBytes: number;
  fsync: 'never' | 'interval' | 'always';
  whenFull: 'drop-oldest' | 'refuse';
}>;

/** Throws `INVALID_OPTION`. */
export function resolveSpoolOptions(
  check: OptionChecks,
  spool: SpoolOptions | false = {},
): ResolvedSpoolOptions | false {
  if (spool === false) return false;
  return {
    // The process may change its working folder.
    directory: resolvePath(spool.directory ?? '.token-meter/spool'),
    maxBytes: check.integer('spool.maxBytes', spool.maxBytes, 2 ** 30, 65_536),
    fsync: check.oneOf('spool.fsync', spool.fsync, ['interval', 'never', 'always']),
    whenFull: check.oneOf('spool.whenFull', spool.whenFull, ['drop-oldest', 'refuse']),
  };
}

/** As options have it: `false` where it is switched off. */
export function spoolOfConfig(spool: SpoolConfig | undefined): { spool?: SpoolOptions | false } {
  if (spool === undefined) return {};
  const { enabled, ...given } = spool;
  return { spool: enabled ? given : false };
}
