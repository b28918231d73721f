import type { ProviderUnderTest } from '../conformance/providers/provider-under-test.ts';
import type { Script } from './wire/wire-server.ts';

/** What becomes of one call. */
export const KINDS = [
  'plain',
  'stream',
  'stream without usage',
  'error',
  'error of a stream',
  'lost before the reply',
  'cut',
  'break',
  'abort',
  'unread',
  'half read',
] as const;
export type Kind = (typeof KINDS)[number];

/** What one run of the application is to do; on its command line. */
export interface ChaosRun {
  readonly seed: number;
  readonly urls: Readonly<Record<'http1' | 'http2', string>>;
  /** SDKs it loads, by their place in `everyProvider()`. */
  readonly sdks: readonly number[];
  readonly firstCall: number;
  readonly atOnce: number;
  /** Lines of `ChaosLine`, each written before the next thing happens. */
  readonly log: string;
}

export interface ChaosLine {
  readonly call: number;
  readonly at: 'begin' | 'end';
  readonly ms: number;
  readonly sdk: number;
  readonly kind: Kind;
  /** At its end: all of the reply, a part of it, or an error. */
  readonly saw?: 'whole' | 'part' | 'error';
}

/** The folder of a call below the server: one call, one address. */
export function addressOf(call: number, sdk: number, kind: Kind): string {
  return `/c${call}-${sdk}-${KINDS.indexOf(kind)}`;
}

/** What a path below such an address is about. */
export function callOf(path: string): { call: string; sdk: number; kind: Kind } | undefined {
  const [, call = '', sdk, kind] = /\/c(\d+)-(\d+)-(\d+)/.exec(path) ?? [];
  const known = KINDS[Number(kind)];
  return known === undefined ? undefined : { call, sdk: Number(sdk), kind: known };
}

/** The reply to a request for that path. */
export function scriptOf(path: string, sdks: readonly ProviderUnderTest<unknown>[]): Script {
  const asked = callOf(path);
  const sdk = sdks[asked?.sdk ?? -1];
  if (asked === undefined || sdk === undefined) return { status: 404, body: '{}' };
  return withId(scriptOfKind(sdk, asked.kind), sdk.expected.record.responseId, asked.call);
}

function scriptOfKind({ wire }: ProviderUnderTest<unknown>, kind: Kind): Script {
  const open = wire.bareStream ?? wire.stream;
  const head = { ...open, pieces: (open.pieces ?? []).slice(0, -2) };
  switch (kind) {
    case 'plain':
      return wire.plain;
    case 'stream':
    case 'unread':
    case 'half read':
      return wire.stream;
    case 'stream without usage':
      return open;
    case 'error':
    case 'error of a stream':
      return wire.error;
    case 'lost before the reply':
      return { pieces: [], cut: true };
    case 'cut':
      return { ...head, cut: true };
    case 'break':
    case 'abort': {
      const last = head.pieces.at(-1);
      return { ...head, pauseMs: 4, ...(last !== undefined && { held: last }) };
    }
  }
}

/** As real servers do, each reply has an id of its own. Binary events have none. */
function withId(script: Script, id: string | undefined, call: string): Script {
  if (id === undefined) return script;
  const own = <T>(piece: T): T | string =>
    typeof piece === 'string' ? piece.replaceAll(id, `${id}-${call}`) : piece;
  const { body, pieces, ...rest } = script;
  return {
    ...rest,
    ...(body !== undefined && { body: own(body) }),
    ...(pieces !== undefined && { pieces: pieces.map(own) }),
  };
}
