import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';
import { printable } from './app-client.ts';
import { type SettingsClient } from './settings-client.ts';

export interface WatchOptions {
  readonly json: boolean;
  /** Exit after the first change. */
  readonly once: boolean;
}

interface ServerEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** The server sends a heartbeat every 15 s. A connection without data for this time is dead. */
const SILENCE_MS = 40_000;

/**
 * Prints events until the process ends. Resumes a lost connection after the last event; only a
 * permanent refusal ends it.
 */
export async function watchSettings(
  client: SettingsClient,
  io: CliIo,
  { json, once }: WatchOptions,
): Promise<number> {
  let lastId: string | undefined;
  let wait = FIRST_WAIT_MS;
  let shown = '';
  for (;;) {
    try {
      for await (const event of eventsOf(client, lastId)) {
        wait = FIRST_WAIT_MS;
        const isChange = event.event === 'settings' && lastId !== undefined;
        if (event.id !== undefined) lastId = event.id;
        const line = json ? JSON.stringify({ event: event.event, ...event.data }) : lineOf(event);
        if (line !== shown) io.stdout.write(`${line}\n`);
        shown = line;
        if (once && isChange) return 0;
      }
      io.stderr.write('the application closed the stream; reconnecting\n');
    } catch (error) {
      if (isFinal(error)) throw error;
      io.stderr.write(`${messageOf(error)}; retrying\n`);
    }
    await sleep(wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

/** Refusals that a retry does not change: a wrong token or URL. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof TokenMeterError) || error.code !== 'BACKEND_REFUSED') return false;
  return /^4(?!29)/.test(error.message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function* eventsOf(
  client: SettingsClient,
  lastId: string | undefined,
): AsyncGenerator<ServerEvent> {
  const abort = new AbortController();
  const silence = setTimeout(
    () => abort.abort(new Error('no heartbeat from the application')),
    SILENCE_MS,
  );
  try {
    const answer = await client.events(lastId, abort.signal);
    const received: ServerEvent[] = [];
    const parser = createParser({
      onEvent({ id, event = 'message', data }) {
        const parsed = JSON.parse(data) as ServerEvent['data'];
        received.push({ ...(id !== undefined && { id }), event, data: parsed });
      },
    });
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      silence.refresh();
      parser.feed(chunk);
      yield* received.splice(0);
    }
  } finally {
    clearTimeout(silence);
    abort.abort();
  }
}

function lineOf({ event, data }: ServerEvent): string {
  const text = (key: string): string => {
    const value = data[key];
    return typeof value === 'string' ? printable(value) : JSON.stringify(value ?? '');
  };
  if (event === 'settings') {
    const values = Object.entries((data['settings'] ?? {}) as Record<string, unknown>)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(' ');
    const by = data['updated_by'] === undefined ? '' : ` by ${text('updated_by')}`;
    const at = data['updated_at'] === undefined ? '' : ` at ${text('updated_at')}`;
    return `version ${text('version')}: ${printable(values)}${by}${at}`;
  }
  if (event === 'status') {
    const since = data['stale_since'] === undefined ? '' : ` since ${text('stale_since')}`;
    return `store ${text('state')}${since}`;
  }
  if (event === 'instances') {
    const instances = (data['instances'] ?? []) as { readonly version: number }[];
    const current = instances.filter(({ version }) => version >= Number(data['version'])).length;
    return `instances: ${current} of ${instances.length} on version ${text('version')}`;
  }
  return `${printable(event)}: ${printable(JSON.stringify(data))}`;
}
