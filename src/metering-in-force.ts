import { stopBudgets } from './budgets/budgets-in-force.ts';
import type { Audience } from './call/call-start.ts';
import type { CallMeter } from './call/call-meter.ts';
import { slicedWorkDone } from './call/sliced-work.ts';
import { activeTeam } from './context.ts';
import type { EndedCall } from './domain/ended-call.ts';
import { warnHost } from './host/host-warning.ts';
import { packageVersion } from './host/package-version.ts';
import { failedQuietly, quietly } from './host/quietly.ts';
import { Metering, type Recorded } from './metering.ts';
import { CurrentTelemetry } from './otel/telemetry.ts';
import { Delivery } from './usage/delivery.ts';

/** What is asked of a metering in force. */
export type MeteringInForce = Pick<
  Metering,
  | 'calls'
  | 'lead'
  | 'switchesOf'
  | 'keepContent'
  | 'onCall'
  | 'meters'
  | 'isUndecided'
  | 'settle'
  | 'budgets'
  | 'flush'
  | 'deliver'
  | 'endNow'
>;

interface Installed {
  readonly metering: MeteringInForce;
  readonly isEnabled: () => boolean;
  readonly isStandIn?: boolean;
}

/**
 * Patches, wrappers and manual records report to all of them: the preload and an instrumentation of
 * the application get every record alike. Of those that record a call the newest one leads: spans and the
 * reading of the call are as its options say.
 */
let installed: readonly Installed[] = [];

const COPY = Symbol.for('otel-token-meter.copy');

/** Patches and the registration with the AI SDK are made once a process, by the copy that came first. */
function noteCopy(): void {
  const first = globalThis as { [COPY]?: typeof installMetering };
  first[COPY] ??= installMetering;
  if (first[COPY] === installMetering) return;
  warnHost(
    'TOKEN_METER_TWO_COPIES',
    'two copies of otel-token-meter are in this process, such as one from --import and one in a ' +
      'bundle: calls are recorded only by the copy that sees or patches their SDK first. Make the ' +
      'package external in the bundler',
  );
}

/** Before the listeners of exporters, which save what they have then. */
function onExit(): void {
  for (const { metering } of installed) quietly('ending', () => metering.endNow());
}

export function installMetering(metering: MeteringInForce, isEnabled: () => boolean): void {
  noteCopy();
  if (!process.listeners('exit').includes(onExit)) process.prependListener('exit', onExit);
  const others = installed.filter((other) => other.metering !== metering && !other.isStandIn);
  installed = [{ metering, isEnabled }, ...others];
}

/** New calls are for `next`. Those of `former` that run are still its own, as is what waits in it. */
export function replaceMetering(former: MeteringInForce, next: MeteringInForce): void {
  installed = [
    ...installed.map((one) => (one.metering === former ? { ...one, metering: next } : one)),
    { metering: former, isEnabled: () => false },
  ];
}

/**
 * For patched SDKs, asked on every call: undefined while no instrumentation is enabled. One for all calls, whoever leads
 * them, since it knows one call by what it saw of others.
 */
export function currentCallMeter(): CallMeter<Recorded> | undefined {
  return installed.find(({ isEnabled }) => isEnabled())?.metering.calls;
}

/** All that a call of the team made now is recorded for, as the switches stand. */
export function currentAudience(team: () => unknown = activeTeam): Audience<Recorded> | undefined {
  const members: Member[] = [];
  for (const { metering, isEnabled } of installed) {
    if (!isEnabled()) continue;
    const { enabled, tokenStatistics } = metering.switchesOf(team);
    if (enabled) members.push({ metering, tokenStatistics });
  }
  const [first] = members;
  if (first === undefined) return undefined;
  for (const { metering } of members) metering.onCall();
  const tokenStatistics = members.some((member) => member.tokenStatistics);
  const budgets = first.metering.budgets(tokenStatistics);
  return {
    lead: first.metering.lead,
    ...(budgets && { budgets }),
    tokenStatistics,
    // A meter that two of them share gets each value once.
    meters: () => [...new Set(members.flatMap(({ metering }) => metering.meters()))],
    keepContent: tokenStatistics && members.some(({ metering }) => metering.keepContent),
    onEnd(ended) {
      const delivery = new Delivery();
      const settle = ({ metering, tokenStatistics }: Member): Recorded =>
        metering.settle(
          tokenStatistics === ended.tokenStatistics ? ended : { ...ended, tokenStatistics },
          delivery,
        );
      const [record] = undecidedLast(members, ended).map(settle);
      return record ?? Promise.resolve(undefined);
    },
  };
}

interface Member {
  readonly metering: MeteringInForce;
  readonly tokenStatistics: boolean;
}

/** What they have in common must not wait for those that do not know yet. */
function undecidedLast(members: readonly Member[], ended: EndedCall): readonly Member[] {
  if (members.length === 1) return members;
  return members.toSorted(
    (a, b) => Number(a.metering.isUndecided(ended)) - Number(b.metering.isUndecided(ended)),
  );
}

/** Whether the current settings meter a call made now. */
export function isMetering(): boolean {
  return installed.some(
    ({ metering, isEnabled }) => isEnabled() && metering.switchesOf(activeTeam).enabled,
  );
}

/**
 * For calls metered manually. Without an instrumentation, creates one with options from the
 * environment that reports to the global OpenTelemetry providers.
 */
export function callMeterByHand(): CallMeter<Recorded> | undefined {
  if (installed.length === 0) {
    const metering = quietly(
      'starting',
      () => new Metering({}, new CurrentTelemetry(packageVersion()), currentAudience),
    );
    if (metering === undefined) return undefined;
    noteCopy();
    installed = [{ metering, isEnabled: () => true, isStandIn: true }];
  }
  return currentCallMeter();
}

/**
 * Resolves when every call that has ended is counted, emitted and durable in the exporters. Calls that
 * run go on. Never rejects.
 */
export async function flush(): Promise<void> {
  await slicedWorkDone();
  const flushed = await Promise.allSettled(
    installed.map(async ({ metering }) => await metering.flush()),
  );
  for (const result of flushed) {
    if (result.status === 'rejected') failedQuietly('flushing', result.reason);
  }
}

/** As long as a person waits for a reply. */
export const DELIVER_WITHIN_MS = 3000;

/**
 * For hosts that stop the process between two requests, such as AWS Lambda and Vercel: resolves when
 * every call that has ended is recorded, and its span, metrics and event are sent, or `timeoutMs` have
 * passed (default 3000). Never rejects. Where the process goes on, `flush()` and the exporters' own
 * intervals are enough.
 */
export async function deliver({
  timeoutMs = DELIVER_WITHIN_MS,
}: DeliverOptions = {}): Promise<void> {
  const all = async (): Promise<void> => {
    await slicedWorkDone();
    await Promise.allSettled(installed.map(async ({ metering }) => await metering.deliver()));
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([all(), late]);
  clearTimeout(timer);
}

export interface DeliverOptions {
  /** @default 3000 */
  readonly timeoutMs?: number;
}

/**
 * For the end of the process: ends every open call as `aborted`, with what was received of its reply,
 * and flushes. Never rejects.
 */
export async function shutdown(): Promise<void> {
  for (const { metering } of installed) metering.calls.open.closeAll();
  await flush();
  await stopBudgets();
}
