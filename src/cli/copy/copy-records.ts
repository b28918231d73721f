import type { ExporterStatus, UsageLogProcessor, UsageReader } from 'otel-token-meter/exporter';
import { TokenMeterError } from '../../errors.ts';
import { EVENT_INFERENCE_DETAILS } from '../../otel/semconv.ts';
import { eventAttributes } from '../../usage/emit/event.ts';
import { hrTimeOf } from '../../usage/record-id.ts';
import { type CopyProgress, countOf, DECISIONS, type LeftOut } from './copy-state.ts';

type Processor = UsageLogProcessor & { status(): ExporterStatus };
type Page = Awaited<ReturnType<UsageReader['records']>>;

/** The most that a reader gives at once. */
const PAGE = 1000;
const ATTEMPTS = 30;
const PAUSE_MS = 1000;

/**
 * Copies the calls of a range, newest first and a page at a time; the next page is read once the one before is
 * stored. A call that is there already meets its own key, so a page may come twice. Calls that the target has decided
 * not to keep are left out and counted. Rejects with `BACKEND_UNREACHABLE` or `BACKEND_REFUSED` when the target does not
 * take a page.
 */
export async function copyRecords(
  reader: UsageReader,
  processor: Processor,
  start: CopyProgress,
  onPage: (progress: CopyProgress) => void,
): Promise<CopyProgress> {
  let progress = start;
  while (!progress.isComplete) {
    const { cursor } = progress;
    const page = await reader.records({
      from: new Date(progress.since),
      to: new Date(progress.until),
      limit: PAGE,
      ...(cursor !== undefined && { cursor }),
    });
    for (const record of page.records) processor.onEmit(logOf(record));
    const leftOut = await stored(processor, progress.calls - start.calls + page.records.length);
    const { cursor: _before, ...rest } = progress;
    progress = {
      ...rest,
      ...(page.cursor !== undefined && { cursor: page.cursor }),
      calls: progress.calls + page.records.length,
      ...(countOf(leftOut) > 0 && { leftOut: sum(start.leftOut, leftOut) }),
      isComplete: page.cursor === undefined,
    };
    onPage(progress);
  }
  return progress;
}

/** As the instrumentation emits it. */
function logOf(record: Page['records'][number]): Parameters<UsageLogProcessor['onEmit']>[0] {
  const { time, service, traceId, spanId } = record;
  return {
    hrTime: hrTimeOf(time),
    eventName: EVENT_INFERENCE_DETAILS,
    attributes: eventAttributes(record, ['v1_41'], false),
    resource: { attributes: { 'service.name': service } },
    ...(traceId !== undefined && spanId !== undefined && { spanContext: { traceId, spanId } }),
  };
}

function sum(before: LeftOut | undefined, now: LeftOut): LeftOut {
  const all = DECISIONS.map(
    (reason) => [reason, (before?.[reason] ?? 0) + (now[reason] ?? 0)] as const,
  );
  return Object.fromEntries(all.filter(([, calls]) => calls > 0));
}

/** `calls`: emitted so far by this process. Resolves with those that were left out. */
async function stored(processor: Processor, calls: number): Promise<LeftOut> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await processor.forceFlush();
    const { delivered, dropped, lastError, state } = processor.status();
    const leftOut: LeftOut = dropped;
    const lost = Object.entries(dropped).filter(
      ([reason, count]) => count > 0 && !(DECISIONS as readonly string[]).includes(reason),
    );
    if (lost.length > 0) {
      const reasons = lost.map(([reason, count]) => `${count} ${reason}`);
      throw new TokenMeterError(
        'BACKEND_REFUSED',
        `the target does not take ${reasons.join(', ')}: ${lastError?.message ?? 'see above'}`,
      );
    }
    if (delivered + countOf(leftOut) >= calls) return leftOut;
    if (state === 'failing') break;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  const { lastError } = processor.status();
  throw new TokenMeterError(
    'BACKEND_UNREACHABLE',
    `the target does not take the calls: ${lastError?.message ?? 'it does not answer'}; run the same command again to go on`,
  );
}
