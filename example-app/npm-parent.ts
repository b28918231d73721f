import { readFileSync } from 'node:fs';

const POLL_MS = 250;

// Read while this module is loaded, the first of the application: once npm has ended, the parent is some
// other process that never does.
const parent = process.ppid;
const grandparent = parentOf(parent);

/**
 * Calls back once if npm started this process and has ended. npm passes a signal to its shell only, and
 * the shell ends without passing it on; npm may also end and leave the shell running.
 */
export function onEndOfNpm(callback: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const watch = setInterval(() => {
    if (process.ppid === parent && parentOf(parent) === grandparent) return;
    clearInterval(watch);
    callback();
  }, POLL_MS);
  watch.unref();
}

/** On Linux; elsewhere only the own parent is watched. */
function parentOf(pid: number): string | undefined {
  try {
    // The command name in parentheses may hold anything: state and parent follow the last one.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1];
  } catch {
    return undefined;
  }
}
