import type { CallMeter } from '../call/call-meter.ts';

/** The meter that records calls just now; undefined while metering is off. Asked on every call. */
export type CurrentMeter = () => CallMeter | undefined;

/** What `patch` found: `unfit` when the module lacks the places that would have to be patched. */
export type PatchOutcome = 'patched' | 'already-patched' | 'unfit';

interface SdkEntry {
  /** Subpath it is imported under: `client` of `openai/client`. */
  readonly name: string;
  /** File of its CommonJS build, by which a `require` is known; absent where there is none. */
  readonly file?: string;
}

/** One SDK: where it is patched. */
export interface SdkPatch {
  /** Package name, as imported. */
  readonly moduleName: string;
  /** False where the package's own name leads to nothing that is patched. @default true */
  readonly isEntered?: boolean;
  /** Further entries of the package that lead to what is patched. */
  readonly entries?: readonly SdkEntry[];
  /** First and last major version this was tested with. */
  readonly testedMajors: readonly [first: number, last: number];
  /**
   * Patches prototypes in place and keeps them patched for good; the patched functions ask `meter` on
   * every call. Called once a loaded copy (ESM and CJS builds are different copies). Never throws for a
   * module of an unknown shape.
   */
  patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome;
  /**
   * For a module that is just being imported, where patching in place would mean to call its functions:
   * what is imported in its stead.
   */
  wrapExports?(moduleExports: unknown, meter: CurrentMeter): unknown;
}
