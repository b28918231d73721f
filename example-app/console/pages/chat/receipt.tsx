import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError, get } from '../../api/client.ts';
import type { UsageRecord } from '../../api/contract.ts';
import { settings } from '../../api/live.ts';
import { formatCallCost, formatMs, formatWhole } from '../../formats.ts';
import { t } from '../../texts.ts';
import { linkTo } from '../../view/current-view.ts';

const LOOK_EVERY_MS = 400;
/** InfluxDB receives records in batches, every ten seconds. */
const LOOK_FOR_MS = 15_000;
/** Tolerance for clock differences of browser and server. */
const SKEW_MS = 5000;
/** Ids of records that a receipt shows. */
const shown = new Set<string>();

export interface Call {
  readonly conversation: string;
  readonly responseId?: string;
  /** Start in ms, to find a stopped call, which has no response id. */
  readonly since: number;
}

/** The usage record of a call, when it becomes available. */
export function Receipt({ call }: { readonly call: Call }): JSX.Element {
  const [isOff] = useState(settings.value?.settings.enabled === false);
  const [found, setFound] = useState<UsageRecord | 'late' | 'signIn'>();
  useEffect(() => {
    if (isOff) return undefined;
    const leaving = new AbortController();
    void lookFor(call, leaving.signal).then(setFound, () => undefined);
    return () => leaving.abort();
  }, []);
  if (typeof found === 'object') {
    return (
      <p class="receipt muted">
        {receiptText(found)}{' '}
        <a href={linkTo('/', 'today', 'conversation', call.conversation)}>
          {t('chat.receipt.link')}
        </a>
      </p>
    );
  }
  return <p class="receipt muted">{t(`chat.receipt.${isOff ? 'off' : (found ?? 'wait')}`)}</p>;
}

async function lookFor(call: Call, signal: AbortSignal): Promise<UsageRecord | 'late' | 'signIn'> {
  const end = Date.now() + LOOK_FOR_MS;
  try {
    for (;;) {
      const record = await recordOf(call, signal);
      if (record) {
        shown.add(record.id);
        return record;
      }
      if (Date.now() > end) return 'late';
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof ApiError && error.status === 401 ? 'signIn' : 'late';
  }
}

async function recordOf(
  { conversation, responseId, since }: Call,
  signal: AbortSignal,
): Promise<UsageRecord | undefined> {
  const { records } = await get('/api/usage/records', { conversation, limit: 5 }, signal);
  return records.find((record) =>
    responseId === undefined
      ? // A stopped call may have been over by then, and be as good as any.
        !shown.has(record.id) && Date.parse(record.time) > since - SKEW_MS
      : record.response_id === responseId,
  );
}

function receiptText(record: UsageRecord): string {
  const { input_tokens: input, output_tokens: output, token_source: source } = record;
  const first = record.time_to_first_chunk_ms;
  const duration =
    formatMs(record.duration_ms) +
    (first === undefined ? '' : ` (${t('chat.receipt.firstChunk', { time: formatMs(first) })})`);
  if (input === undefined && output === undefined) {
    return t('chat.receipt.withoutTokens', { duration });
  }
  const cost = record.cost_usd === undefined ? t('chat.receipt.noPrice') : formatCallCost(record);
  const tokens = `${formatWhole(input)} → ${formatWhole(output)}`;
  const how = source === undefined ? '' : ` · ${t(`source.${source}`)}`;
  return t('chat.receipt', { tokens, cost, duration }) + how;
}
