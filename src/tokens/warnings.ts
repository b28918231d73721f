/** Receives one line in English, never message content. */
export type WarningHook = (message: string) => void;

/** Model names come from callers: without a bound a hostile one could grow the set for ever. */
const MAX_REMEMBERED = 1000;

const warned = new Set<string>();
let hook: WarningHook = (message) => process.emitWarning(message, 'TokenMeterWarning');

/** Replaces where warnings go; the default is `process.emitWarning`. */
export function setWarningHook(next: WarningHook): void {
  hook = next;
}

/** Says `message` the first time `key` is seen; a hook that throws is ignored. */
export function warnOnce(key: string, message: string): void {
  if (warned.has(key) || warned.size >= MAX_REMEMBERED) return;
  warned.add(key);
  try {
    hook(message);
  } catch {
    // A metering warning may never become the host's exception.
  }
}

/** For tests: everything is new again. */
export function forgetWarnings(): void {
  warned.clear();
}
