import type { UsageAlert } from '../../exporter/index.ts';

/** A user above the threshold of the rule. */
export function usageAlert(over: Partial<UsageAlert> = {}): UsageAlert {
  return {
    id: 'one',
    incident: 'incident-one',
    kind: 'threshold',
    rule: 'daily budget',
    level: 'alert',
    previousLevel: 'warning',
    metric: 'costUsd',
    by: 'user',
    key: 'eve',
    value: 12.5,
    threshold: 10,
    noData: false,
    from: '2026-11-24T07:00:00.000Z',
    to: '2026-11-25T07:00:00.000Z',
    windowMs: 86_400_000,
    timeZone: 'UTC',
    time: '2026-11-25T07:00:00.000Z',
    ...over,
  };
}
