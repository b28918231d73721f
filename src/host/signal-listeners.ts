/** Marks listeners of this package, across copies of it in one process. */
const OURS = Symbol.for('otel-token-meter.signal-listener');

/** A listener that does not keep a signal from ending the process: it passes the signal on. */
export function passesOn<Listener extends (signal: NodeJS.Signals) => void>(
  listener: Listener,
): Listener {
  return Object.assign(listener, { [OURS]: true });
}

export function isPassedOn(listener: object): boolean {
  return OURS in listener;
}

/** Whether code of others takes this signal, which then decides whether the process ends. */
export function isTakenByOthers(host: NodeJS.Process, signal: string | symbol): boolean {
  return host.listeners(signal as NodeJS.Signals).some((listener) => !isPassedOn(listener));
}
