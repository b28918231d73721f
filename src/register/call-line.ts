import type { UsageRecord } from '../domain/usage-record.ts';

/**
 * One call for a person to read: `alice gpt-4o conv-7 1.2k→340 tok (cached 900) $0.0012 2.1 s`. What is
 * unknown is left out or `?`; `~` marks an estimate.
 */
export function callLine(record: UsageRecord): string {
  const { userId, requestModel, conversationId, outcome, errorType, durationMs } = record;
  return [
    userId,
    requestModel,
    conversationId,
    tokens(record),
    cost(record.costUsd),
    duration(durationMs),
    outcome === 'ok' ? undefined : [outcome, errorType].filter(Boolean).join(' '),
  ]
    .filter((part) => part !== undefined)
    .map(printable)
    .join(' ');
}

function tokens(record: UsageRecord): string | undefined {
  const { inputTokens, outputTokens, cacheReadTokens, tokenSource } = record;
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  const estimated = tokenSource === 'estimated' ? '~' : '';
  const cached =
    cacheReadTokens === undefined || cacheReadTokens === 0
      ? ''
      : ` (cached ${short(cacheReadTokens)})`;
  return `${estimated}${short(inputTokens)}→${short(outputTokens)} tok${cached}`;
}

function short(count: number | undefined): string {
  if (count === undefined) return '?';
  if (count < 1000) return `${count}`;
  if (count < 999_950) return `${trim(count / 1000)}k`;
  return `${trim(count / 1_000_000)}M`;
}

function trim(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}

function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
}

/** Two significant digits below a cent, since most calls cost less. */
function cost(usd: number | undefined): string | undefined {
  if (usd === undefined) return undefined;
  if (usd === 0) return '$0';
  if (usd >= 0.01) return `$${usd.toFixed(2)}`;
  return `$${usd.toFixed(Math.min(9, 1 - Math.floor(Math.log10(usd))))}`;
}

/** Ids come from outside: no control character of theirs reaches a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
}
