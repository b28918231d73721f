import type { CliIo } from './io.ts';

export const CLEAR_SCREEN = '\u001B[H\u001B[2J';
export const HIDE_CURSOR = '\u001B[?25l';
export const SHOW_CURSOR = '\u001B[?25h';

export interface Keys {
  /**
   * Whether the terminal is in raw mode. Keys arrive one by one, Ctrl-C included. Without it no
   * keys are read.
   */
  readonly isRaw: boolean;
  /** The next key, or `undefined` after `waitMs`. */
  next(waitMs: number): Promise<string | undefined>;
  close(): void;
}

/** Keyboard input, if stdin is a terminal. */
export function keysOf({ stdin }: CliIo): Keys {
  const isRaw = stdin.isTTY === true && stdin.setRawMode !== undefined;
  const typed: string[] = [];
  let wake: (() => void) | undefined;
  const onData = (data: Buffer | string): void => {
    typed.push(...String(data).split(''));
    wake?.();
  };
  if (isRaw) {
    stdin.setRawMode?.(true);
    stdin.on('data', onData);
  }
  return {
    isRaw,
    async next(waitMs) {
      if (typed.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, waitMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      return typed.shift();
    },
    close() {
      if (!isRaw) return;
      stdin.off('data', onData);
      stdin.setRawMode?.(false);
      stdin.pause();
    },
  };
}
