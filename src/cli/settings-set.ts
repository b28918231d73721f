import { setTimeout as sleep } from 'node:timers/promises';
import { TokenMeterError } from '../errors.ts';
import { printable } from './app-client.ts';
import type { CliIo } from './io.ts';
import type { SettingsClient, SettingsDocument } from './settings-client.ts';

export interface SetOptions {
  readonly changes: SettingsDocument;
  readonly json: boolean;
  readonly reason?: string;
  /** When the change ends by itself, RFC 3339. */
  readonly until?: string;
  readonly ifVersion?: string;
  /** Maximum wait for the instances. Without it the command does not wait. */
  readonly waitMs?: number;
}

const WORDS: Readonly<Record<string, boolean | null>> = {
  true: true,
  on: true,
  false: false,
  off: false,
  default: null,
};

/** Parses `KEY=VALUE…` into a merge patch. The application validates the keys. */
export function changesOf(args: readonly string[]): SettingsDocument {
  if (args.length === 0) throw wrong('nothing to set', 'KEY=VALUE, such as enabled=false');
  const entries = args.map((arg) => {
    // Names of teams may have one, too.
    const at = arg.lastIndexOf('=');
    if (at < 1) throw wrong(`${JSON.stringify(arg)} is not a setting`, 'KEY=VALUE');
    return [arg.slice(0, at), valueOf(arg.slice(at + 1))] as const;
  });
  return Object.fromEntries(entries);
}

export async function setSettings(
  client: SettingsClient,
  io: CliIo,
  { changes, json, waitMs, ...options }: SetOptions,
): Promise<number> {
  const before = await client.get();
  const after = await client.patch(changes, options);
  const { version } = after;
  if (json) io.stdout.write(`${JSON.stringify({ version, settings: after.settings })}\n`);
  else if (version === before.version) io.stdout.write(`unchanged, version ${version}\n`);
  else {
    for (const key of new Set([before, after].flatMap(({ settings }) => Object.keys(settings)))) {
      const [was, value] = [before.settings[key], after.settings[key]];
      if (was !== value) io.stdout.write(`${printable(key)}: ${textOf(was)} -> ${textOf(value)}\n`);
    }
    io.stdout.write(`version ${version}\n`);
  }
  return waitMs === undefined || (await followed(client, io, version, waitMs)) ? 0 : 1;
}

async function followed(
  client: SettingsClient,
  io: CliIo,
  version: number,
  waitMs: number,
): Promise<boolean> {
  const giveUpAt = performance.now() + waitMs;
  let shown = '';
  for (;;) {
    const { epoch, instances } = await client.instances();
    // Versions are comparable within one epoch only; an instance in another one has not applied it.
    const current = instances.filter((each) => each.epoch === epoch && each.version >= version);
    const progress = `${current.length} of ${instances.length} instances on version ${version}`;
    if (progress !== shown) io.stderr.write(`${progress}\n`);
    shown = progress;
    if (instances.length > 0 && current.length === instances.length) return true;
    if (performance.now() > giveUpAt) {
      const none = 'no instance has reported: is anything running on these settings?';
      io.stderr.write(
        instances.length === 0
          ? `${none}\n`
          : `not all instances applied the change within ${waitMs / 1000} s\n`,
      );
      return false;
    }
    await sleep(500);
  }
}

function valueOf(text: string): unknown {
  if (Object.hasOwn(WORDS, text)) return WORDS[text];
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Absent: a team or service has no switch of its own. */
function textOf(value: unknown): string {
  return value === undefined ? 'as for all calls' : JSON.stringify(value);
}

function wrong(message: string, allowed: string): TokenMeterError {
  return new TokenMeterError('INVALID_OPTION', message, { allowed });
}
