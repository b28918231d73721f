// @ts-check
import { ApiError, callApi } from '../api.js';
import { element } from '../dom.js';
import { formatCallCost, formatMs, formatWhole } from '../formats.js';
import { t } from '../strings.js';

/** @typedef {import('../dashboard/usage-api.js').UsageRecord} UsageRecord */

const LOOK_EVERY_MS = 400;
/** InfluxDB receives records in batches, every ten seconds. */
const LOOK_FOR_MS = 15_000;
/** Tolerance for clock differences of browser and server. */
const SKEW_MS = 5000;

/**
 * @typedef {{ conversation: string, responseId?: string, since: number }} Call
 * `since`: start in ms, to find a stopped call, which has no response id.
 */

/**
 * Shows the usage record of a call when it becomes available.
 *
 * @param {HTMLElement} host
 * @param {Call} call
 * @param {() => boolean} isMetering
 */
export async function showReceipt(host, call, isMetering) {
  host.textContent = t(isMetering() ? 'chat.receipt.wait' : 'chat.receipt.off');
  if (!isMetering()) return;
  const end = Date.now() + LOOK_FOR_MS;
  try {
    for (;;) {
      const record = await recordOf(call);
      if (record) return host.replaceChildren(receiptText(record), ' ', linkTo(call.conversation));
      if (Date.now() > end) break;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    host.textContent = t('chat.receipt.late');
  } catch (error) {
    const signedOut = error instanceof ApiError && error.status === 401;
    host.textContent = t(signedOut ? 'chat.receipt.signIn' : 'chat.receipt.late');
  }
}

/** @param {Call} call @returns {Promise<UsageRecord | undefined>} */
async function recordOf({ conversation, responseId, since }) {
  const search = new URLSearchParams({ conversation, limit: '5' });
  const answer = await callApi(`/api/usage/records?${search}`);
  /** @type {{ records: UsageRecord[] }} */
  const { records } = await answer.json();
  return records.find((record) =>
    responseId === undefined
      ? record.outcome !== 'ok' && Date.parse(record.time) > since - SKEW_MS
      : record.response_id === responseId,
  );
}

/** @param {UsageRecord} record */
function receiptText(record) {
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

/** @param {string} conversation */
function linkTo(conversation) {
  const href = `/?${new URLSearchParams({ range: 'today', conversation }).toString()}`;
  return element('a', { href }, t('chat.receipt.link'));
}
