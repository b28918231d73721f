import type { Context } from 'koa';
import { TokenMeterError } from 'otel-token-meter/exporter';
import { z } from 'zod';
import type { RunningAlerts } from '../alerts.ts';
import { identityOf, teamsOf } from '../middleware/authentication.ts';
import { RateLimit } from '../middleware/rate-limit.ts';
import {
  alertHistory,
  alertsState,
  channelTest,
  muteAnswer,
  ruleId,
  shownAlerts,
  shownHistory,
} from './alerts-wire.ts';
import { retryAfter } from './api-headers.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';

export interface AlertRoutesOptions {
  /** Undefined while there are no rules. */
  readonly alerts: () => RunningAlerts | undefined;
}

const BODY_LIMIT_BYTES = 4096;
const CHANGES_PER_MINUTE = 60;
/** Each sends a message to people. */
const TESTS_PER_MINUTE = 6;
const YEAR_MINUTES = 366 * 24 * 60;

const STORE_AWAY = {
  description: 'The store of the states cannot be reached; nothing has changed',
  headers: z.object(retryAfter),
};
const NOT_FOUND = { description: 'There is no such rule or active alert' };
const params = z.strictObject({ id: z.string().max(64) });
const note = z
  .string()
  .trim()
  .max(200)
  // Without a property escape, which many readers of the description do not know.
  // eslint-disable-next-line no-control-regex
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'must not hold control characters')
  .optional()
  .describe('Why, for the history');
const muteBody = z.strictObject({
  minutes: z.int().min(1).max(YEAR_MINUTES).describe('From now on'),
  note,
});

/** Alerts over HTTP: viewers read, admins mute and acknowledge. */
export function alertRoutes({ alerts }: AlertRoutesOptions): readonly ApiRoute[] {
  const limit = new RateLimit({ perMinute: CHANGES_PER_MINUTE });
  const testLimit = new RateLimit({ perMinute: TESTS_PER_MINUTE });
  return [
    apiRoute({
      method: 'get',
      path: '/api/alerts',
      summary: 'Alert rules, what is not ok, and the channels',
      role: 'viewer',
      answers: { 200: { description: 'As of the last evaluation', schema: alertsState } },
      handle(ctx) {
        ctx.set('cache-control', 'no-store');
        ctx.body = shownAlerts(alerts(), teamsOf(ctx));
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/alerts/history',
      summary: 'Changes of level, mutes and acknowledgements, newest first',
      role: 'viewer',
      query: z.strictObject({
        limit: z.coerce.number().int().min(1).max(200).default(100).describe('How many entries'),
      }),
      answers: { 200: { description: 'The newest entries', schema: alertHistory } },
      handle(ctx, { query }) {
        ctx.set('cache-control', 'no-store');
        ctx.body = shownHistory((alerts()?.history(teamsOf(ctx)) ?? []).slice(0, query.limit));
      },
    }),
    apiRoute({
      method: 'post',
      path: '/api/alerts/{id}/mute',
      summary: 'Report nothing of a rule for some time, except for the end of what was reported',
      role: 'admin',
      limit,
      params,
      body: { schema: muteBody, limitBytes: BODY_LIMIT_BYTES },
      answers: {
        200: { description: 'Until when', schema: muteAnswer },
        404: NOT_FOUND,
        503: STORE_AWAY,
      },
      async handle(ctx, { params: { id }, body }) {
        const running = runningOf(ctx, alerts);
        const rule = await ruleOf(ctx, running, id);
        const until = new Date(Date.now() + body.minutes * 60_000);
        ctx.body = await fromStore(ctx, running.mute(rule, until, actorOf(ctx, body.note)));
      },
    }),
    apiRoute({
      method: 'delete',
      path: '/api/alerts/{id}/mute',
      summary: 'End a mute',
      role: 'admin',
      limit,
      params,
      answers: {
        204: { description: 'The rule is not muted' },
        404: NOT_FOUND,
        503: STORE_AWAY,
      },
      async handle(ctx, { params: { id } }) {
        const running = runningOf(ctx, alerts);
        const rule = await ruleOf(ctx, running, id);
        await fromStore(ctx, running.unmute(rule, actorOf(ctx, undefined)));
        ctx.status = 204;
      },
    }),
    apiRoute({
      method: 'post',
      path: '/api/alerts/{id}/acknowledge',
      summary: 'Somebody looks after an active alert: it is not repeated',
      role: 'admin',
      limit,
      params,
      body: { schema: z.strictObject({ note }), limitBytes: BODY_LIMIT_BYTES },
      answers: { 204: { description: 'It is acknowledged' }, 404: NOT_FOUND, 503: STORE_AWAY },
      async handle(ctx, { params: { id }, body }) {
        const actor = actorOf(ctx, body.note);
        const isThere = await fromStore(ctx, runningOf(ctx, alerts).acknowledge(id, actor));
        if (!isThere) notFound(ctx);
        ctx.status = 204;
      },
    }),
    apiRoute({
      method: 'post',
      path: '/api/alerts/test',
      summary: 'Send a sample through every channel, one attempt each',
      role: 'admin',
      limit: testLimit,
      answers: { 200: { description: 'What came back', schema: channelTest } },
      async handle(ctx) {
        ctx.body = { channels: ((await alerts()?.test()) ?? []).map(shownAttempt) };
      },
    }),
  ];
}

type Attempt = Awaited<ReturnType<RunningAlerts['test']>>[number];

function shownAttempt({ name, result, detail, answer }: Attempt): object {
  return { name, result, detail, ...(answer !== undefined && { answer }) };
}

function runningOf(ctx: Context, alerts: AlertRoutesOptions['alerts']): RunningAlerts {
  return alerts() ?? notFound(ctx);
}

/** Of a rule, or of the rule of an active alert. */
async function ruleOf(ctx: Context, running: RunningAlerts, id: string): Promise<string> {
  const { rules, budgets } = running.status();
  const names = [...rules.map(({ rule }) => rule.name), ...budgets.map(({ rule }) => rule)];
  const rule = names.find((name) => ruleId(name) === id);
  return rule ?? (await running.ruleOfAlert(id)) ?? notFound(ctx);
}

function notFound(ctx: Context): never {
  return ctx.throw(404, 'There is no such rule or active alert.', { code: 'not_found' });
}

function actorOf(ctx: Context, why: string | undefined): { by: string; note?: string } {
  return { by: identityOf(ctx)?.name ?? 'unknown', ...(why && { note: why }) };
}

/** Never the store's own words: they name hosts and paths. */
async function fromStore<R>(ctx: Context, answer: Promise<R>): Promise<R> {
  try {
    return await answer;
  } catch (error) {
    const code = error instanceof TokenMeterError ? error.code : undefined;
    // The alert is over meanwhile.
    if (code === 'INVALID_OPTION') return notFound(ctx);
    if (code !== 'STORE_UNAVAILABLE' && code !== 'STORE_READ_ONLY') throw error;
    ctx.app.emit('error', error, ctx);
    return ctx.throw(503, 'The store of the alert states cannot be reached.', {
      code: 'store_unavailable',
      expose: true,
      headers: { 'retry-after': '5' },
    });
  }
}
