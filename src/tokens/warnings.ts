/** Receives one line of English. It never contains message content. */
export type WarningHook = (message: string) => void;

/** Model names come from callers: the bound keeps a hostile one from growing the set forever. */
const MAX_REMEMBERED = 1000;

const warned = new Set<string>();
const warnProcess: WarningHook = (message) => process.emitWarning(message, 'TokenMeterWarning');
let hook = warnProcess;

/** Replaces the handler of warnings. @default `process.emitWarning`, as a `TokenMeterWarning` */
export function setWarningHook(next: WarningHook = warnProcess): void {
  hook = next;
}

/** Reports `message` the first time `key` is seen. A handler that throws is ignored. */
export function warnOnce(key: string, message: string): void {
  if (warned.has(key) || warned.size >= MAX_REMEMBERED) return;
  warned.add(key);
  try {
    hook(message);
  } catch {
    // A warning must never become an exception in the host.
  }
}

/** For tests: clears the set of reported keys. */
export function forgetWarnings(): void {
  warned.clear();
}
