import type { Readable, Writable } from 'node:stream';

/** Input and output of a command; replaced in tests. */
export interface CliIo {
  readonly stdout: Writable & {
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stdin: Readable & {
    readonly isTTY?: boolean;
    setRawMode?(isRaw: boolean): unknown;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A command, in a separate module that is loaded on use. */
export interface CliCommand {
  /** Description in `--help`. */
  readonly summary: string;
  /** Resolves with the exit code. */
  run(args: readonly string[], io: CliIo): Promise<number>;
}
