import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { basename, dirname, resolve } from 'node:path';
import { TokenMeterError } from '../../errors.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { replaceFile } from '../atomic-file.ts';
import {
  type AuditEntry,
  NOTHING_STORED,
  type SettingsWrite,
  type SettingsWriteResult,
  type StoredSettings,
  applyWrite,
} from '../stored-settings.ts';
import { parseStoredSettings } from '../stored-settings-json.ts';
import { AuditFile } from './audit-file.ts';
import { withFileLock } from './file-lock.ts';
import { InstanceFolder } from './instance-folder.ts';
import { pollDelayMs } from './poll-delay.ts';
import type {
  InstanceReport,
  SeenInstance,
  SettingsStore,
  SettingsStoreListener,
} from './settings-store.ts';

export interface FileSettingsStoreOptions {
  /** A JSON file; made at the first change. Its folder is made at the start. */
  readonly path: string;
  /** Within what time a change is seen that the file system does not tell of, ms. @default 5000 */
  readonly pollIntervalMs?: number;
}

/**
 * Settings in a JSON file, `{"version": 3, "values": {"enabled": false}}`, shared by the processes
 * of one machine and open to an editor: `values` changed by hand become a version of their own.
 * The audit log and the reports of the instances lie beside it.
 */
export class FileSettingsStore implements SettingsStore {
  readonly kind = 'file';
  readonly #path: string;
  readonly #pollIntervalMs: number;
  readonly #audit: AuditFile;
  readonly #instances: InstanceFolder;
  readonly #listeners = new Set<SettingsStoreListener>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #lastSeen = '';
  #lastVersion = 0;

  /** Throws `INVALID_OPTION` without a path. */
  constructor(options: FileSettingsStoreOptions) {
    if (typeof options.path !== 'string' || options.path === '') {
      throw new TokenMeterError('INVALID_OPTION', 'FileSettingsStore needs a path', {
        value: options.path,
        allowed: 'the path of a JSON file',
      });
    }
    this.#path = resolve(options.path);
    this.#pollIntervalMs = options.pollIntervalMs ?? 5000;
    this.#audit = new AuditFile(`${this.#path}.audit.jsonl`);
    this.#instances = new InstanceFolder(`${this.#path}.instances`);
  }

  async start(listener: SettingsStoreListener): Promise<void> {
    this.#listeners.add(listener);
    const folder = dirname(this.#path);
    await makeFolder(folder).catch(() => undefined);
    this.#watch(folder);
    this.#poll();
    listener.onState(await this.read());
    listener.onAvailable();
  }

  async read(): Promise<StoredSettings> {
    const text = await this.#text();
    if (text === '') return NOTHING_STORED;
    const state = parseStoredSettings(text);
    if (state) {
      // Written anew by hand, without a version: another content of the version known here.
      if (state.version === 0) return { ...state, version: this.#lastVersion };
      this.#lastVersion = state.version;
      return state;
    }
    throw unavailable(`${this.#path} does not hold settings`);
  }

  write(write: SettingsWrite): Promise<SettingsWriteResult> {
    const result = this.#writing.then(() => this.#write(write));
    this.#writing = result.catch(() => undefined);
    return result;
  }

  async audit(limit: number): Promise<readonly AuditEntry[]> {
    return await orUnavailable(this.#audit.list(limit));
  }

  async report(instance: InstanceReport, ttlMs: number): Promise<void> {
    await orUnavailable(this.#instances.add(instance, ttlMs));
  }

  async instances(): Promise<readonly SeenInstance[]> {
    return await this.#instances.list();
  }

  async forget(instanceId: string): Promise<void> {
    await orUnavailable(this.#instances.remove(instanceId));
  }

  async stop(listener: SettingsStoreListener): Promise<void> {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  async #write(write: SettingsWrite): Promise<SettingsWriteResult> {
    return await orUnavailable(
      withFileLock(`${this.#path}.lock`, async () => {
        const { outcome, state, entries } = applyWrite(await this.read(), write);
        if (entries.length > 0) {
          await this.#audit.append(entries);
          await replaceFile(this.#path, `${JSON.stringify(state, null, 2)}\n`);
        }
        return { outcome, state };
      }),
    );
  }

  async #text(): Promise<string> {
    try {
      return (await readFile(this.#path, 'utf8')).trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw unavailable(`${this.#path} cannot be read`, error);
    }
  }

  /** The folder, because replacing the file ends a watch on the file itself. */
  #watch(folder: string): void {
    if (this.#watcher) return;
    try {
      this.#watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || name === basename(this.#path)) void this.#look();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // No watches left on this machine, or no folder yet: polling sees every change, later.
    }
  }

  #poll(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void this.#look().then(() => {
        if (this.#listeners.size > 0) this.#poll();
      });
    }, pollDelayMs(this.#pollIntervalMs));
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      // An editor that writes in place can be caught half-way: what fails is read once more.
      const state = await this.read().catch(async () => {
        await sleep(50);
        return await this.read();
      });
      const seen = JSON.stringify(state);
      for (const listener of this.#listeners) {
        listener.onAvailable();
        if (seen !== this.#lastSeen) listener.onState(state);
      }
      this.#lastSeen = seen;
    } catch (error) {
      this.#lastSeen = '';
      for (const listener of this.#listeners) listener.onUnavailable(error);
    }
  }
}

function unavailable(message: string, cause?: unknown): TokenMeterError {
  return new TokenMeterError('STORE_UNAVAILABLE', message, cause === undefined ? {} : { cause });
}

async function orUnavailable<R>(job: Promise<R>): Promise<R> {
  try {
    return await job;
  } catch (error) {
    if (error instanceof TokenMeterError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw unavailable(`the settings file cannot be used${code ? ` (${code})` : ''}`, error);
  }
}
