import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { MetricsSettings } from '../../src/settings/index.ts';

export interface FleetOptions {
  /** URL of Redis. */
  readonly url: string;
  readonly processes: number;
  readonly perProcess: number;
  /** Folder for the last known settings. Without it none are kept. */
  readonly directory?: string;
  readonly pollIntervalMs?: number;
  /** Channel that each instance also subscribes to with a plain connection, as a baseline. */
  readonly bareChannel?: string;
}

interface InstanceState {
  readonly id: string;
  readonly version: number;
  readonly settings: MetricsSettings;
  readonly state: 'ready' | 'stale' | 'unknown';
}

export type FleetMessage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'applied' | 'heard';
      readonly id: string;
      /** Version of the settings, or the number in a plain push message. */
      readonly version: number;
      readonly at: number;
    }
  | { readonly type: 'states'; readonly states: readonly InstanceState[] };

/** Instances of an application in several processes on one Redis. */
export interface Fleet {
  readonly size: number;
  /** Milliseconds since the epoch at which each instance applied a version, by instance. */
  appliedAt(version: number): ReadonlyMap<string, number>;
  /** The same for plain pushes. */
  heardAt(message: number): ReadonlyMap<string, number>;
  states(): Promise<readonly InstanceState[]>;
  close(): Promise<void>;
}

type Times = Map<string, number>;

const WORKER = new URL('settings-fleet-worker.ts', import.meta.url);

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const seen = { applied: new Map<number, Times>(), heard: new Map<number, Times>() };
  const children = Array.from({ length: options.processes }, (_, i) => {
    const child = fork(WORKER, [JSON.stringify({ ...options, process: `p${i}` })], {
      execArgv: ['--conditions=otel-token-meter/source'],
    });
    child.on('message', (message: FleetMessage) => {
      if (message.type !== 'applied' && message.type !== 'heard') return;
      const { type, version, id, at } = message;
      const times = seen[type].get(version) ?? new Map<string, number>();
      seen[type].set(version, times.set(id, at));
    });
    return child;
  });
  await Promise.all(children.map((child) => answer(child, 'ready')));
  return {
    size: options.processes * options.perProcess,
    appliedAt: (version) => seen.applied.get(version) ?? new Map<string, number>(),
    heardAt: (message) => seen.heard.get(message) ?? new Map<string, number>(),
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

/** A permanent listener, since `once` would miss further messages of the same tick. */
async function answer(child: ChildProcess, type: FleetMessage['type']): Promise<FleetMessage> {
  return await new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a process of the fleet ended'));
    const listen = (message: FleetMessage): void => {
      if (message.type !== type) return;
      child.off('message', listen).off('exit', ended);
      resolve(message);
    };
    child.on('message', listen).once('exit', ended);
  });
}
