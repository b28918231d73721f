import type { CallMeter } from '../call/call-meter.ts';

/** The meter that records calls just now; undefined while metering is off. Asked on every call. */
export type CurrentMeter = () => CallMeter | undefined;

/** What `patch` found: `unfit` when the module lacks the places that would have to be patched. */
export type PatchOutcome = 'patched' | 'already-patched' | 'unfit';

/** One SDK: where it is patched. */
export interface SdkPatch {
  /** Package name, as imported. */
  readonly moduleName: string;
  /** File inside the package that is patched in place of what its name leads to. */
  readonly file?: string;
  /** First and last major version this was tested with. */
  readonly testedMajors: readonly [first: number, last: number];
  /**
   * Patches prototypes in place and keeps them patched for good; the patched functions ask `meter` on
   * every call. Called once a loaded copy (ESM and CJS builds are different copies). Never throws for a
   * module of an unknown shape.
   */
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome;
}
