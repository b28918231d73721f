import { currentCallMeter } from '../../metering-in-force.ts';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SdkPatch } from '../../providers/sdk-patch.ts';
import { sdkPatches } from '../../providers/sdk-patches.ts';
import { messageOf, ok, problem, warning, type Finding } from './finding.ts';
import { installedPackage, type InstalledPackage } from './installed.ts';

/** Finds the SDKs of the application and patches each one here to check that it can be metered. */
export async function checkModelSdks(cwd: string): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const name of new Set(sdkPatches.map(({ moduleName }) => moduleName))) {
    const installed = installedPackage(cwd, name);
    if (installed === undefined) continue;
    found.push(
      await checkSdk(
        installed,
        sdkPatches.filter((sdk) => sdk.moduleName === name),
      ),
    );
  }
  if (found.length > 0) return found;
  return [
    warning(
      'llm sdk',
      'no supported SDK is installed here; meter other clients with meterChat() or recordUsage()',
    ),
  ];
}

async function checkSdk(
  installed: InstalledPackage,
  patches: readonly SdkPatch[],
): Promise<Finding> {
  const label = `${installed.name} ${installed.version}`;
  try {
    for (const patch of patches) {
      const module = (await import(moduleOf(installed, patch))) as unknown;
      // What cannot be patched in place is replaced at import, such as factories of providers.
      const isWrapped =
        patch.wrapExports !== undefined && patch.wrapExports(module, currentCallMeter) !== module;
      if (patch.patch(module, currentCallMeter) === 'unfit' && !isWrapped) continue;
      const [first, last] = patch.testedMajors;
      const major = Number.parseInt(installed.version, 10);
      return major >= first && major <= last
        ? ok('llm sdk', `${label} is patched`)
        : warning(
            'llm sdk',
            `${label} is metered, but outside the tested majors ${first} to ${last}`,
          );
    }
    return problem('llm sdk', `${label} has an unknown shape: its calls are not metered`);
  } catch (error) {
    return warning('llm sdk', `${label} could not be loaded: ${messageOf(error)}`);
  }
}

function moduleOf(
  { name, folder, entry }: InstalledPackage,
  { isEntered, entries = [] }: SdkPatch,
): string {
  const file = isEntered === false ? entries[0]?.file : undefined;
  if (file !== undefined) return pathToFileURL(join(folder, file)).href;
  if (entry !== undefined) return entry;
  throw new Error(`${name} has no entry point for this version of Node`);
}
