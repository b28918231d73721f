import { tokenCount } from '../domain/token-counts.ts';
import type { TokenUsage } from '../domain/usage-record.ts';

type UsageField = keyof TokenUsage;

export const TOKEN_FIELDS: readonly UsageField[] = [
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
];

export interface CheckedUsage {
  readonly usage: TokenUsage;
  /** What was wrong with the usage given; empty for a sound one. */
  readonly violations: readonly string[];
}

type Draft = { -readonly [K in UsageField]?: number };

/**
 * Holds usage to: integers from 0 to 2^53-1; cache read + cache write <= input; reasoning <= output.
 * A count that cannot be one is dropped, a part larger than its whole is cut to it.
 */
export function checkUsage(given: TokenUsage): CheckedUsage {
  const usage: Draft = {};
  const violations: string[] = [];
  for (const field of TOKEN_FIELDS) {
    const value: unknown = given[field];
    if (value === undefined || value === null) continue;
    const tokens = tokenCount(value);
    if (tokens === undefined) violations.push(`${field} is not a count`);
    else usage[field] = tokens;
  }
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  if (inputTokens !== undefined) {
    if (cacheReadTokens !== undefined && cacheReadTokens > inputTokens) {
      violations.push('cacheReadTokens exceeds inputTokens');
      usage.cacheReadTokens = inputTokens;
    }
    const room = inputTokens - (usage.cacheReadTokens ?? 0);
    if (cacheWriteTokens !== undefined && cacheWriteTokens > room) {
      violations.push('cacheReadTokens + cacheWriteTokens exceeds inputTokens');
      usage.cacheWriteTokens = room;
    }
  }
  if (outputTokens !== undefined && (usage.reasoningTokens ?? 0) > outputTokens) {
    violations.push('reasoningTokens exceeds outputTokens');
    usage.reasoningTokens = outputTokens;
  }
  return { usage, violations };
}
