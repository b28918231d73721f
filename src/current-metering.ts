import { logs } from '@opentelemetry/api';
import type { CallMeter } from './call/call-meter.ts';
import { quietly } from './call/quietly.ts';
import { globalTelemetry, Metering } from './metering.ts';

interface Installed {
  readonly metering: Metering;
  readonly isEnabled: () => boolean;
}

/** One a process: patches, wrappers and manual records all report to the instrumentation made last. */
let installed: Installed | undefined;

export function installMetering(metering: Metering, isEnabled: () => boolean): void {
  installed = { metering, isEnabled };
}

/** For patched SDKs, asked on every call: undefined while no instrumentation is enabled. */
export function currentCallMeter(): CallMeter | undefined {
  return installed?.isEnabled() === true ? installed.metering.calls : undefined;
}

/**
 * For calls metered by hand: without an instrumentation, one with options from the environment is made
 * that reports to the global OpenTelemetry providers.
 */
export function currentMetering(): Metering | undefined {
  if (installed === undefined) {
    const metering = quietly('starting', () => new Metering({}, globalTelemetry()));
    if (metering === undefined) return undefined;
    installed = { metering, isEnabled: () => true };
  }
  return installed.isEnabled() ? installed.metering : undefined;
}

/**
 * Resolves when every call that has ended is counted, emitted and durable in the exporters. Ends
 * streams that arrived and that nobody has begun to read. Never rejects.
 */
export async function flush(): Promise<void> {
  await installed?.metering.drain();
  const provider = logs.getLoggerProvider() as { forceFlush?: () => Promise<void> };
  try {
    await provider.forceFlush?.();
  } catch (error) {
    quietly('flushing', () => {
      throw error;
    });
  }
}
