import type { UsageAlert } from '../usage-alert.ts';
import { TEST_RULE } from './alert-message.ts';

const HOUR_MS = 3_600_000;

/** What the test of a channel sends: nothing has happened. */
export function sampleAlert(now: number): UsageAlert {
  const time = new Date(now).toISOString();
  return {
    id: `alert_test_${now}`,
    incident: TEST_RULE,
    kind: 'threshold',
    rule: TEST_RULE,
    level: 'warning',
    previousLevel: 'ok',
    metric: 'totalTokens',
    by: 'all',
    key: null,
    value: 1234,
    threshold: 1000,
    noData: false,
    from: new Date(now - HOUR_MS).toISOString(),
    to: time,
    windowMs: HOUR_MS,
    timeZone: 'UTC',
    time,
  };
}
