import { useEffect, useState } from 'preact/hooks';
import { messageFor } from './client.ts';

export interface Asked<T> {
  /** The last answer; undefined before the first. */
  readonly value: T | undefined;
  readonly problem: unknown;
  readonly reload: () => Promise<void>;
}

/** Asks when the component is shown, and then every so often. */
export function useAnswer<T>(ask: () => Promise<T>, everyMs: number): Asked<T> {
  const [value, setValue] = useState<T>();
  const [problem, setProblem] = useState<unknown>();
  const reload = async (): Promise<void> => {
    try {
      setValue(await ask());
      setProblem(undefined);
    } catch (error) {
      setProblem(error);
    }
  };
  useEffect(() => {
    void reload();
    const timer = setInterval(() => {
      if (!document.hidden) void reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, []);
  return { value, problem, reload };
}

export interface Action {
  readonly isRunning: boolean;
  readonly problem: string | undefined;
  readonly run: (act: () => Promise<unknown>) => Promise<void>;
}

/** Something that a button does: one at a time. */
export function useAction(onDone: () => unknown): Action {
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<string>();
  const run = async (act: () => Promise<unknown>): Promise<void> => {
    setRunning(true);
    setProblem(undefined);
    try {
      await act();
      await onDone();
    } catch (error) {
      setProblem(messageFor(error));
    } finally {
      setRunning(false);
    }
  };
  return { isRunning, problem, run };
}
