import {
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
} from '@opentelemetry/instrumentation';
import { warnHost } from '../host/host-warning.ts';
import { quietly } from '../host/quietly.ts';
import type { CurrentMeter, PatchOutcome, SdkPatch } from './sdk-patch.ts';

const states = new Map<string, 'patched' | 'unfit'>();

/** What has become of a package in this process; undefined when none of it was seen. */
export function patchStateOf(moduleName: string): 'patched' | 'unfit' | undefined {
  return states.get(moduleName);
}

/** Patches what an application passed by hand. */
export function applyPatch(
  sdk: SdkPatch,
  moduleExports: unknown,
  meter: CurrentMeter,
): PatchOutcome {
  const outcome =
    quietly(`patching ${sdk.moduleName}`, () => sdk.patch(moduleExports, meter)) ?? 'unfit';
  if (outcome === 'unfit') warnUnfit(sdk, sdk.moduleName);
  else states.set(sdk.moduleName, 'patched');
  return outcome;
}

/** Names under which the patched packages are imported. */
export function importNamesOf({
  moduleName,
  entries = [],
  isEntered,
}: SdkPatch): readonly string[] {
  const inside = entries.map(({ name }) => `${moduleName}/${name}`);
  return isEntered === false ? inside : [moduleName, ...inside];
}

/**
 * How the loader hooks are to find an SDK. ES modules are known by the name they are imported under, a
 * `require` of anything but the package itself by its file.
 */
export function moduleDefinitions(
  sdk: SdkPatch,
  meter: CurrentMeter,
): readonly InstrumentationNodeModuleDefinition[] {
  const { moduleName, entries = [], isEntered = true } = sdk;
  const loaded = (isMain: boolean) => (moduleExports: unknown, version: string | undefined) =>
    load(sdk, moduleExports, version, isMain, meter);
  const files = entries.flatMap(({ file }) =>
    file === undefined
      ? []
      : [
          new InstrumentationNodeModuleFile(
            `${moduleName}/${file}`,
            ANY_VERSION,
            loaded(false),
            () => undefined,
          ),
        ],
  );
  return [
    define(moduleName, isEntered ? loaded(true) : undefined, files),
    ...entries.map(({ name }) => define(`${moduleName}/${name}`, loaded(false))),
  ];
}

/**
 * Patches what was imported under `name`, the package or one of its entries, where nothing else can be
 * handed to the importer.
 */
export function patchImported(
  sdk: SdkPatch,
  name: string,
  moduleExports: unknown,
  meter: CurrentMeter,
): void {
  if (sdk.wrapExports !== undefined) return;
  load(sdk, moduleExports, undefined, name === sdk.moduleName, meter);
}

/** So that one nobody tested is never passed over in silence. */
const ANY_VERSION = ['*'];

function define(
  name: string,
  patch?: (moduleExports: unknown, version: string | undefined) => unknown,
  files?: InstrumentationNodeModuleFile[],
): InstrumentationNodeModuleDefinition {
  const definition = new InstrumentationNodeModuleDefinition(
    name,
    ANY_VERSION,
    patch,
    undefined,
    files,
  );
  // `*` alone passes over `8.0.0-beta.1`, silently.
  return Object.assign(definition, { includePrerelease: true });
}

function load(
  sdk: SdkPatch,
  moduleExports: unknown,
  version: string | undefined,
  isMain: boolean,
  meter: CurrentMeter,
): unknown {
  const { moduleName } = sdk;
  let handedOut = moduleExports;
  let outcome: PatchOutcome = 'unfit';
  quietly(`patching ${moduleName}`, () => {
    if (sdk.wrapExports === undefined) outcome = sdk.patch(moduleExports, meter);
    else {
      handedOut = sdk.wrapExports(moduleExports, meter);
      outcome = 'patched';
    }
  });
  const label = version === undefined ? moduleName : `${moduleName} ${version}`;
  if (outcome === 'unfit') {
    // An entry beside the package's own may have nothing to patch.
    if (isMain) warnUnfit(sdk, label);
    return moduleExports;
  }
  states.set(moduleName, 'patched');
  if (version !== undefined && !isTested(sdk, version)) {
    const [first, last] = sdk.testedMajors;
    warnHost(
      'TOKEN_METER_UNTESTED',
      `${label} is outside the tested majors ${first} to ${last}; it has the known shape and is metered`,
    );
  }
  return handedOut;
}

function warnUnfit({ moduleName }: SdkPatch, label: string): void {
  if (!states.has(moduleName)) states.set(moduleName, 'unfit');
  warnHost('TOKEN_METER_UNKNOWN_SHAPE', `${label} has an unknown shape: its calls are not metered`);
}

function isTested({ testedMajors: [first, last] }: SdkPatch, version: string): boolean {
  const major = Number.parseInt(version, 10);
  return major >= first && major <= last;
}
