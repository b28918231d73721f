import type { UsageAlert } from '../../exporter/index.ts';

/** A user above the threshold of the rule. */
export function usageAlert(over: Partial<UsageAlert> = {}): UsageAlert {
  return {
    id: 'one',
    rule: 'daily budget',
    level: 'alert',
    previousLevel: 'warning',
    metric: 'costUsd',
    by: 'user',
    key: 'eve',
    value: 12.5,
    threshold: 10,
    noData: false,
    windowMs: 86_400_000,
    time: '2026-11-25T07:00:00.000Z',
    ...over,
  };
}
