import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { basename, dirname, resolve } from 'node:path';
import { TokenMeterError } from '../../errors.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { realPath, replaceFile } from '../../host/atomic-file.ts';
import { type AuditEntry, NOTHING_STORED, type StoredSettings } from '../stored-settings.ts';
import { parseStoredSettings, toJson } from '../stored-settings-json.ts';
import { AuditFile } from './audit-file.ts';
import { withFileLock } from '../../host/file-lock.ts';
import { InstanceFolder } from './instance-folder.ts';
import { pollDelayMs } from './poll-delay.ts';
import type {
  InstanceReport,
  SeenInstance,
  SettingsStore,
  SettingsStoreListener,
  SettingsUpdate,
} from './settings-store.ts';

export interface FileSettingsStoreOptions {
  /** A JSON file; made at the first change. Its folder is made at the start. */
  readonly path: string;
  /** Within what time a change is seen that the file system does not report, ms. @default 5000 */
  readonly pollIntervalMs?: number;
  /** Monotonic clock, ms. @default performance.now */
  readonly now?: () => number;
}

/** What the file holds: the state, and the audit entries of its last change, in case a crash kept them out of the log. */
interface FileContent {
  readonly state: StoredSettings;
  readonly lastChange: readonly AuditEntry[];
}

/** So long a command may take between truncating the file and writing it: `curl … > settings.json`. */
const WRITTEN_WITHIN_MS = 30_000;

/** Reads and writes that fail for these need somebody to change rights or mounts. */
const REFUSALS: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * Settings in a JSON file, `{"version": 3, "values": {"enabled": false}}`, shared by the processes
 * of one machine and open to an editor. The audit log and the reports of the instances lie beside it.
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
  /** An empty file has lost them, or is about to be written: by a redirection of a slow command. */
  #hasHeldSettings = false;
  /**
   * Since when this process sees the file empty. Its modification time is of another clock where a server
   * keeps the file.
   */
  #emptySinceMs: number | undefined;
  readonly #now: () => number;

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
    this.#now = options.now ?? (() => performance.now());
    this.#audit = new AuditFile(`${this.#path}.audit.jsonl`);
    this.#instances = new InstanceFolder(`${this.#path}.instances`);
  }

  async start(listener: SettingsStoreListener): Promise<void> {
    this.#listeners.add(listener);
    const folder = dirname(this.#path);
    await makeFolder(folder).catch(() => undefined);
    this.#watch(folder);
    this.#poll();
    const state = await this.read();
    listener.onTime(Date.now());
    listener.onState(state);
    listener.onAvailable();
  }

  async read(): Promise<StoredSettings> {
    return (await this.#content()).state;
  }

  readNow(): { readonly state: StoredSettings; readonly now: number } | undefined {
    const state = this.#stateNow();
    return state && { state, now: Date.now() };
  }

  update<U extends SettingsUpdate>(decide: (stored: StoredSettings, now: number) => U): Promise<U> {
    const result = this.#writing.then(() => this.#update(decide));
    this.#writing = result.catch(() => undefined);
    return result;
  }

  async audit(limit: number): Promise<readonly AuditEntry[]> {
    const { lastChange } = await this.#content();
    return await orUnavailable(this.#audit.list(limit, lastChange));
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

  forgetNow(instanceId: string): void {
    this.#instances.removeNow(instanceId);
  }

  async stop(listener: SettingsStoreListener): Promise<void> {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  #stateNow(): StoredSettings | undefined {
    try {
      return contentOf(readFileSync(this.#path, 'utf8'))?.state;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? NOTHING_STORED : undefined;
    }
  }

  async #update<U extends SettingsUpdate>(
    decide: (stored: StoredSettings, now: number) => U,
  ): Promise<U> {
    const update = await orUnavailable(
      withFileLock(`${await realPath(this.#path)}.lock`, async () => {
        const { state, lastChange } = await this.#content();
        const made = decide(state, Date.now());
        if (made.entries.length === 0) return made;
        await this.#audit.complete(lastChange);
        const content = { ...toJson(made.state), lastChange: made.entries };
        await replaceFile(this.#path, `${JSON.stringify(content, null, 2)}\n`);
        await this.#audit.append(made.entries);
        return made;
      }),
    );
    if (update.entries.length > 0) void this.#look();
    return update;
  }

  async #content(): Promise<FileContent> {
    let text = await this.#text();
    if (text === '') {
      // An editor may have emptied the file to write it: only one that stays empty holds nothing.
      await sleep(50);
      text = await this.#text();
    }
    this.#emptySinceMs = text === '' ? (this.#emptySinceMs ?? this.#now()) : undefined;
    if (this.#hasHeldSettings && this.#isBeingWritten()) {
      throw unavailable(`${this.#path} is empty: somebody seems to be writing it`);
    }
    if (text === undefined || text === '') return { state: NOTHING_STORED, lastChange: [] };
    const content = contentOf(text);
    if (!content) throw unavailable(`${this.#path} does not hold settings`);
    this.#hasHeldSettings = true;
    return content;
  }

  #isBeingWritten(): boolean {
    const since = this.#emptySinceMs;
    return since !== undefined && this.#now() - since < WRITTEN_WITHIN_MS;
  }

  /** Undefined: there is no file. */
  async #text(): Promise<string | undefined> {
    try {
      return (await readFile(this.#path, 'utf8')).trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
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
      // Deno does not know \`persistent\`.
      this.#watcher.unref();
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
        listener.onTime(Date.now());
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

/** Undefined where the text is none of settings. */
function contentOf(text: string): FileContent | undefined {
  const state = parseStoredSettings(text);
  if (!state) return undefined;
  const { lastChange = [], ...extra } = state.extra ?? {};
  const { extra: _extra, ...rest } = state;
  return {
    state: { ...rest, ...(Object.keys(extra).length > 0 && { extra }) },
    lastChange: Array.isArray(lastChange)
      ? (lastChange as AuditEntry[]).filter((entry) => typeof entry?.version === 'number')
      : [],
  };
}

function unavailable(message: string, cause?: unknown): TokenMeterError {
  return new TokenMeterError('STORE_UNAVAILABLE', message, cause === undefined ? {} : { cause });
}

async function orUnavailable<R>(job: Promise<R>): Promise<R> {
  try {
    return await job;
  } catch (error) {
    if (error instanceof TokenMeterError) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    if (REFUSALS.has(code)) {
      throw new TokenMeterError(
        'STORE_READ_ONLY',
        `the settings file cannot be written (${code})`,
        {
          cause: error,
        },
      );
    }
    throw unavailable(`the settings file cannot be used${code ? ` (${code})` : ''}`, error);
  }
}
