import type { Readable, Writable } from 'node:stream';

/** What a command may touch: tests hand in their own. */
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

/** One command of the CLI: a file of its own, loaded only when it is called. */
export interface CliCommand {
  /** One line for `--help`. */
  readonly summary: string;
  /** Resolves with the exit code. */
  run(args: readonly string[], io: CliIo): Promise<number>;
}
