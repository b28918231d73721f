import { dirname } from 'node:path';
import type { TokenMeterConfig } from '../../config/index.ts';
import { configuredSettingsStore } from '../../settings/stores/configured.ts';
import type { SeenInstance } from '../../settings/stores/settings-store.ts';
import { checkDisk } from './disk.ts';
import { messageOf, note, ok, problem, warning, type Finding } from './finding.ts';

/** Checks the settings store and the instances that report to it. */
export async function checkSettings(
  config: TokenMeterConfig['settings'],
): Promise<readonly Finding[]> {
  if (config.store === 'memory') {
    return [note('settings', 'in memory: only the code of the application changes the switches')];
  }
  const findings: Finding[] = [];
  if (config.store === 'file') {
    const disk = await checkDisk('the settings', dirname(config.file.path));
    if (disk.state === 'problem') return [disk];
  }
  const listener = { onTime() {}, onState() {}, onAvailable() {}, onUnavailable() {} };
  const store = configuredSettingsStore(config);
  try {
    const asked = performance.now();
    await store.start(listener);
    const { version, values } = await store.read();
    const ms = Math.round(performance.now() - asked);
    const place = config.store === 'file' ? config.file.path : 'Redis';
    findings.push(
      ok('settings', `${place}: version ${version} ${shown(values)}, read in ${ms} ms`),
    );
    findings.push(...instanceFindings(await store.instances()));
  } catch (error) {
    findings.push(problem('settings', messageOf(error)));
  } finally {
    await store.stop(listener).catch(() => undefined);
  }
  return findings;
}

function shown(values: object): string {
  const changed = Object.entries(values).map(([key, value]) => `${key}=${String(value)}`);
  return changed.length === 0 ? '(as configured)' : changed.join(' ');
}

interface ExporterDetails {
  readonly state?: string;
  readonly dropped?: Readonly<Record<string, number>>;
  readonly volatile?: number;
  readonly handedOver?: number;
  readonly lastError?: { readonly time: string; readonly message: string };
}

function instanceFindings(instances: readonly SeenInstance[]): readonly Finding[] {
  if (instances.length === 0) return [note('instances', 'none running')];
  return instances.map((instance) => {
    const { exporter } = (instance.details ?? {}) as { exporter?: ExporterDetails };
    const who = `${instance.name} on ${instance.host}, pid ${instance.pid}`;
    const dropped = Object.entries(exporter?.dropped ?? {}).map(([why, n]) => `${n} ${why}`);
    const troubles = [
      ...(instance.state === 'ready' ? [] : [`its settings are ${instance.state}`]),
      ...(dropped.length > 0 ? [`dropped: ${dropped.join(', ')}`] : []),
      ...(exporter?.volatile === undefined
        ? []
        : [`${exporter.volatile} records in memory only: the disk takes none`]),
      ...(exporter?.handedOver === undefined
        ? []
        : [`${exporter.handedOver} records were taken over by another process`]),
      ...(exporter?.lastError === undefined
        ? []
        : [`last error ${exporter.lastError.time}: ${exporter.lastError.message}`]),
    ];
    return troubles.length === 0
      ? ok('instance', `${who}: settings version ${instance.version}`)
      : warning('instance', `${who}: ${troubles.join('; ')}`);
  });
}
