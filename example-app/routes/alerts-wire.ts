import { createHash } from 'node:crypto';
import type {
  ActiveAlert,
  AlertBudgetStatus,
  AlertHistoryEntry,
  AlertRuleStatus,
  UsageAlertsStatus,
} from 'otel-token-meter/exporter';
import { usageJson } from 'otel-token-meter/exporter';
import { z } from 'zod';
import type { RunningAlerts } from '../alerts.ts';

/** Answers of `/api/alerts`. */

const time = z.iso.datetime({ offset: true });
const metric = z.enum(['totalTokens', 'inputTokens', 'outputTokens', 'costUsd', 'calls']);
const actor = { by: z.string(), at: time, note: z.string().optional() };
const teams = z.array(z.string()).optional().describe('The teams whose calls alone it is about');
const mute = z.strictObject({ until: time, ...actor, teams });
const level = z.enum(['ok', 'warning', 'alert']);

const alertRule = z.strictObject({
  id: z.string().describe('For mute'),
  name: z.string(),
  kind: z.enum(['threshold', 'forecast', 'spike', 'budget']),
  metric: metric.optional().describe('Absent for a budget of which no alert is kept'),
  by: z.string().optional(),
  window_ms: z.number().optional(),
  warning: z.number().optional(),
  alert: z.number().optional(),
  muted: mute.optional(),
});

const activeAlert = z.strictObject({
  id: z.string().describe('For mute and acknowledge'),
  incident: z.string(),
  rule: z.string(),
  rule_id: z.string(),
  kind: z.enum(['threshold', 'forecast', 'spike', 'budget']),
  level: z.enum(['warning', 'alert']),
  previous_level: level,
  metric,
  by: z.string(),
  key: z.string().nullable(),
  value: z.number().optional(),
  at_least: z.literal(true).optional(),
  threshold: z.number().optional(),
  usual: z.number().optional(),
  used: z.number().optional(),
  low: z.number().optional(),
  high: z.number().optional(),
  limit: z.number().optional(),
  no_data: z.boolean(),
  from: time,
  to: time,
  window_ms: z.number(),
  time_zone: z.string(),
  since: time,
  is_muted: z.boolean(),
  teams,
  acknowledged: z.strictObject(actor).optional(),
});

const count = z.int().min(0);

export const alertsState = z.strictObject({
  rules: z
    .array(alertRule)
    .describe('In the order of their file, then the budgets that have had alerts'),
  active: z.array(activeAlert).describe('Not ok, worst first'),
  undelivered: count
    .optional()
    .describe('Changes that a channel has not confirmed, on any instance; not for limited viewers'),
  channels: z
    .array(
      z.strictObject({
        name: z.string(),
        delivered: count,
        dropped: z.record(z.string(), count),
        queued: count,
      }),
    )
    .describe('Of the instance that answers; none for viewers who are limited to teams'),
  last_evaluated: time.optional(),
  last_error: z.strictObject({ time, message: z.string() }).optional(),
});

export const alertHistory = z.strictObject({
  entries: z.array(
    z.strictObject({
      id: z.string(),
      time,
      event: z.enum(['level', 'acknowledged', 'muted', 'unmuted']),
      rule: z.string(),
      key: z.string().nullable().optional(),
      level: level.optional(),
      previous_level: level.optional(),
      metric: metric.optional(),
      value: z.number().optional(),
      at_least: z.literal(true).optional(),
      threshold: z.number().optional(),
      actor: z.string().optional(),
      until: time.optional(),
      note: z.string().optional(),
      teams,
    }),
  ),
});

export const channelTest = z.strictObject({
  channels: z.array(
    z.strictObject({
      name: z.string(),
      result: z.enum(['delivered', 'refused', 'retry']),
      detail: z.string(),
      answer: z.string().optional(),
    }),
  ),
});

export const muteAnswer = mute;

/** Names of rules may hold anything; this fits a path. */
export function ruleId(name: string): string {
  return `rule_${createHash('sha256').update(name).digest('base64url').slice(0, 22)}`;
}

const NONE: UsageAlertsStatus = {
  active: [],
  rules: [],
  budgets: [],
  undelivered: 0,
  dropped: 0,
};

/** To a viewer of `teams`, what is about calls of theirs alone. */
export function shownAlerts(
  alerts: RunningAlerts | undefined,
  teams: readonly string[] | undefined,
): object {
  const status = alerts?.status(teams) ?? NONE;
  const { active, rules, budgets, undelivered, lastEvaluated, lastError } = status;
  return usageJson({
    rules: [...rules.map(shownRule), ...budgets.map(shownBudget)],
    active: active.map(shownAlert),
    // What is on its way may be about others.
    ...(teams === undefined && { undelivered }),
    channels: teams === undefined ? (alerts?.channels() ?? []) : [],
    ...(lastEvaluated !== undefined && { lastEvaluated }),
    ...(lastError && { lastError }),
  });
}

export function shownHistory(entries: readonly AlertHistoryEntry[]): object {
  return usageJson({ entries });
}

function shownRule({ rule, muted }: AlertRuleStatus): object {
  const { name, kind = 'threshold', metric: of, by = 'all', warning, alert } = rule;
  const windowMs = 'windowMs' in rule ? rule.windowMs : undefined;
  return {
    id: ruleId(name),
    name,
    kind,
    metric: of,
    by,
    ...(windowMs !== undefined && { windowMs }),
    ...(warning !== undefined && { warning }),
    ...(alert !== undefined && { alert }),
    ...(muted && { muted }),
  };
}

function shownBudget({ rule, alert, muted }: AlertBudgetStatus): object {
  return {
    id: ruleId(rule),
    name: rule,
    kind: 'budget',
    ...(alert && { metric: alert.metric, by: alert.by }),
    ...(muted && { muted }),
  };
}

function shownAlert({ time: since, ...alert }: ActiveAlert): object {
  return { ...alert, since, ruleId: ruleId(alert.rule) };
}
