import type { CallMeter } from './call/call-meter.ts';
import { failedQuietly, quietly } from './call/quietly.ts';
import { Metering } from './metering.ts';
import { packageVersion } from './package-version.ts';
import { CurrentTelemetry } from './telemetry.ts';

/** What is asked of the metering in force. */
export type MeteringInForce = Pick<Metering, 'calls' | 'enabled' | 'settle' | 'flush'>;

interface Installed {
  readonly metering: MeteringInForce;
  readonly isEnabled: () => boolean;
}

/** One a process: patches, wrappers and manual records all report to the instrumentation made last. */
let installed: Installed | undefined;

export function installMetering(metering: MeteringInForce, isEnabled: () => boolean): void {
  installed = { metering, isEnabled };
}

/** For patched SDKs, asked on every call: undefined while no instrumentation is enabled. */
export function currentCallMeter(): CallMeter | undefined {
  return installed?.isEnabled() === true ? installed.metering.calls : undefined;
}

/** Whether a call made now is to be metered, as the switches stand. */
export function isMetering(): boolean {
  return installed?.isEnabled() === true && installed.metering.enabled;
}

/**
 * For calls metered by hand: without an instrumentation, one with options from the environment is made
 * that reports to the global OpenTelemetry providers.
 */
export function currentMetering(): MeteringInForce | undefined {
  if (installed === undefined) {
    const metering = quietly(
      'starting',
      () => new Metering({}, new CurrentTelemetry(packageVersion())),
    );
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
  try {
    await installed?.metering.flush();
  } catch (error) {
    failedQuietly('flushing', error);
  }
}
