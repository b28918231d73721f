import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { MetricsSettings } from '../../src/settings/index.ts';

export interface FleetOptions {
  /** Of Redis. */
  readonly url: string;
  readonly processes: number;
  readonly perProcess: number;
  /** For the last known good settings; none are kept without. */
  readonly directory?: string;
  readonly pollIntervalMs?: number;
}

export interface InstanceState {
  readonly id: string;
  readonly version: number;
  readonly settings: MetricsSettings;
  readonly state: 'ready' | 'stale';
}

export type FleetMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'applied'; readonly id: string; readonly version: number; readonly at: number }
  | { readonly type: 'states'; readonly states: readonly InstanceState[] };

/** Many instances of an application in several processes, all on one Redis. */
export interface Fleet {
  readonly size: number;
  /** Milliseconds since the epoch at which each instance applied a version, by instance. */
  appliedAt(version: number): ReadonlyMap<string, number>;
  states(): Promise<readonly InstanceState[]>;
  close(): Promise<void>;
}

const WORKER = new URL('settings-fleet-worker.ts', import.meta.url);

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const applied = new Map<number, Map<string, number>>();
  const children = Array.from({ length: options.processes }, (_, i) => {
    const child = fork(WORKER, [JSON.stringify({ ...options, process: `p${i}` })], {
      execArgv: ['--conditions=otel-token-meter/source'],
    });
    child.on('message', (message: FleetMessage) => {
      if (message.type !== 'applied') return;
      const { version, id, at } = message;
      if (!applied.has(version)) applied.set(version, new Map());
      applied.get(version)!.set(id, at);
    });
    return child;
  });
  await Promise.all(children.map((child) => answer(child, 'ready')));
  return {
    size: options.processes * options.perProcess,
    appliedAt: (version) => applied.get(version) ?? new Map<string, number>(),
    async states() {
      const answers = children.map((child) => answer(child, 'states'));
      for (const child of children) child.send('read');
      const messages = await Promise.all(answers);
      return messages.flatMap((message) => (message.type === 'states' ? message.states : []));
    },
    async close() {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null) return;
          const ended = once(child, 'exit');
          child.send('close');
          await ended;
        }),
      );
    },
  };
}

/** One listener all along: of several messages in one tick `once` would see only the first. */
async function answer(child: ChildProcess, type: FleetMessage['type']): Promise<FleetMessage> {
  return await new Promise((resolve) => {
    const listen = (message: FleetMessage): void => {
      if (message.type !== type) return;
      child.off('message', listen);
      resolve(message);
    };
    child.on('message', listen);
  });
}
