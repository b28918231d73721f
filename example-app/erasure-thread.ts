import { parentPort, workerData } from 'node:worker_threads';
import { type EraseResult, type StoreConfigs, usageStore } from 'otel-token-meter/exporter';

/** What to erase, and from which ledger. */
export interface ErasureOrder {
  readonly provider: keyof StoreConfigs;
  readonly configs: StoreConfigs;
  readonly userId: string;
  readonly dryRun: boolean;
}

const { provider, configs, userId, dryRun } = workerData as ErasureOrder;
const result: EraseResult = await usageStore(provider, configs).erase({ userId, dryRun });
parentPort?.postMessage(result);
