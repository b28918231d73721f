import type { SdkPatch } from '../../../src/providers/sdk-patch.ts';
import type { TokenUsage, UsageRecord } from '../../../src/domain/usage-record.ts';
import type { Script } from '../../support/wire/wire-server.ts';

/** Undefined: the field must be absent. */
export type Expected = { readonly [Field in keyof UsageRecord]?: UsageRecord[Field] | undefined };

/** One SDK as the suite drives it. */
export interface ProviderUnderTest<Client> {
  /** Package and version, for the title. */
  readonly title: string;
  readonly patch: SdkPatch;
  readonly protocol?: 'http1' | 'http2';
  load(): Promise<unknown>;
  client(module: unknown, url: string): Client;
  plain(client: Client, signal?: AbortSignal): Promise<unknown>;
  stream(client: Client, signal?: AbortSignal): Promise<AsyncIterable<unknown>>;
  /** How a running stream is stopped from outside; absent where the SDK has no way. */
  abort?(stream: AsyncIterable<unknown>, controller: AbortController): void;
  /** Class, or name, of the error that a call is refused with by a budget: that of status 429. */
  readonly refusedAs: string;
  /** Whether a caller who stops reading is heard of; `collected`: only when his stream is. */
  readonly breakSeen?: 'at-once' | 'collected';
  /**
   * What becomes of a stream that nobody reads. `unread`: ended by a shutdown, with nothing received.
   * `begun`: the SDK reads the first of it, so it ends when it is collected. `whole`: the SDK reads all.
   */
  readonly neverRead?: 'unread' | 'begun' | 'whole';
  /** Further shapes of call, each with what it must leave behind. */
  readonly shapes?: readonly Shape<Client>[];
  readonly promises: Promises<Client>;
  readonly wire: Wire;
  readonly expected: {
    readonly record: Expected;
    readonly plain: TokenUsage;
    readonly stream: TokenUsage;
  };
}

export interface Shape<Client> {
  readonly title: string;
  /** Several: one a request. */
  readonly script: Script | readonly [Script, ...Script[]];
  run(client: Client): Promise<unknown>;
  /** Nothing the caller does ends the call. */
  readonly endsAtShutdown?: true;
  /** What each record must hold; a list where the calls differ. */
  readonly expected: Expected | readonly Expected[];
  /** Records of one run; default 1, or the length of `expected`. */
  readonly calls?: number;
}

interface Wire {
  readonly plain: Script;
  readonly stream: Script;
  /**
   * The same stream without any usage, where the SDK can do with that. The last two pieces of either
   * close the reply, text stands before.
   */
  readonly bareStream?: Script;
  readonly error: Script;
}

/** Calls that show a promise, or why the SDK has none that could. */
type Shown<Client> = readonly Shape<Client>[] | string;

/** What only some SDKs can be asked for. Each says so itself, so that no row is left out in silence. */
interface Promises<Client> {
  /** A6: a reply that the provider goes on with, fetched by its id. */
  readonly pending: Shown<Client>;
  /** A6: a reply with status 200 that reports a failure. */
  readonly failed: Shown<Client>;
  /** A7: a request that only names part of its input, answered without usage. */
  readonly hidden: Shown<Client>;
  /** A10: why no module is of the wrong shape. */
  readonly fitsAll?: string;
}
