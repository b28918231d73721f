import type { Context } from 'koa';
import {
  budgetAnswer,
  type BudgetContext,
  budgetRefusal,
  koaBudgets,
} from 'otel-token-meter/budgets';
import { z } from 'zod';
import type { ChatAnswer, ChatEvent, ChatInput, ChatService } from '../chat/chat-service.ts';
import type { Role } from '../middleware/access.ts';
import { teamsOf } from '../middleware/authentication.ts';
import { RateLimit } from '../middleware/rate-limit.ts';
import { retryAfter } from './api-headers.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { EventStream, eventSchema } from './event-stream.ts';

export interface ChatRoutesOptions {
  readonly chat: ChatService;
  /** Who may chat: anyone on a loopback address, otherwise anyone with a token. */
  readonly role: Role | 'anyone';
  /** Models to choose from, for the chat page. */
  readonly models: readonly string[];
  /** Whether the offline demo model answers. */
  readonly demo: boolean;
  /** Names of the configured dimensions. @default none */
  readonly dimensions?: readonly string[];
  /** @default 600 */
  readonly perMinute?: number;
  /** Aborted when the application ends and answers have had their time. */
  readonly endAnswers?: AbortSignal | undefined;
}

const MAX_BODY_BYTES = 64 * 1024;
/** The pattern describes in `/openapi.json` what `trim` and `min` would reject. */
const id = z.string().max(256).regex(/\S/, 'must not be blank').trim();

/** With the demo model the description lists the models; a provider knows its models itself. */
function chatRequestOf({
  demo,
  models,
  dimensions = [],
}: Pick<ChatRoutesOptions, 'demo' | 'models' | 'dimensions'>) {
  return z.strictObject({
    user_id: id.describe('End user of this call'),
    conversation_id: id.optional().describe('Continues a conversation; absent: a new one'),
    team: id.optional().describe('Team that the call is counted for; wins over the header X-Team'),
    dimensions: z
      .strictObject(Object.fromEntries(dimensions.map((name) => [name, id.optional()])))
      .optional()
      .describe('Win over headers such as X-Dimension-Feature'),
    model: demo ? id.meta({ override: { enum: [...models] } }) : id,
    message: z.string().min(1).max(32_000),
    stream: z.boolean().default(false).describe('true: server-sent events start, piece …, end'),
  });
}

const usage = z.looseObject({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
});

const chatAnswer = z.strictObject({
  conversation_id: z.string(),
  response_id: z.string(),
  model: z.string(),
  message: z.string(),
  usage: usage.optional().describe('As the provider reported it'),
});

const chatModels = z.strictObject({
  demo: z.boolean().describe('Whether the offline demo model answers'),
  models: z.array(z.string()),
});

export function chatRoutes(options: ChatRoutesOptions): readonly ApiRoute[] {
  const { chat, role, models, demo, dimensions = [], perMinute = 600, endAnswers } = options;
  return [
    apiRoute({
      method: 'post',
      path: '/api/chat',
      summary: 'Say something to a model',
      role,
      limit: new RateLimit({ perMinute }),
      headers: usageHeaders(dimensions),
      body: { schema: chatRequestOf(options), limitBytes: MAX_BODY_BYTES },
      answers: {
        200: {
          description: 'The answer; with `stream` as server-sent events',
          schema: chatAnswer,
          also: { 'text/event-stream': eventSchema('start', 'piece', 'end', 'error') },
        },
        429: {
          description: 'A budget of this user or team is exhausted, or asked too often',
          headers: z.object({
            ...retryAfter,
            ratelimit: z.string().optional().describe('What budgets leave, and when they reset'),
            'ratelimit-policy': z.string().optional(),
          }),
        },
        403: { description: 'The sender is limited to other teams' },
        422: { description: 'The request is wrong, or there is no such model' },
        502: { description: 'The provider failed' },
        503: { description: 'The provider asks to slow down' },
      },
      async handle(ctx, { headers, body }) {
        const aborted = new AbortController();
        ctx.res.once('close', () => aborted.abort());
        const signal = endAnswers ? AbortSignal.any([aborted.signal, endAnswers]) : aborted.signal;
        const input: ChatInput = {
          userId: body.user_id,
          conversationId: body.conversation_id,
          team: teamOf(ctx, body.team ?? headers['x-team']),
          dimensions: { ...dimensionsIn(headers, dimensions), ...body.dimensions },
          model: body.model,
          message: body.message,
          signal,
        };
        ctx.state['budgets'] = input satisfies BudgetContext;
        await (teamsOf(ctx) === undefined ? budgets : budgetsWithoutAmounts)(ctx, async () => {
          if (body.stream) await sendEvents(ctx, chat.stream(input), endAnswers);
          else
            ctx.body = wire(await chat.answer(input).catch((error: unknown) => fail(ctx, error)));
        });
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/chat/models',
      summary: 'Models to choose from',
      role,
      answers: { 200: { description: 'Their names', schema: chatModels } },
      handle(ctx) {
        ctx.body = { demo, models };
      },
    }),
  ];
}

/** 429 to a user or team without budget, before and in a call. */
const budgets = koaBudgets<Context>({ context: (ctx) => ctx.state['budgets'] as BudgetContext });

/**
 * To anyone who is limited to teams: budgets of a user, a conversation or everybody count the calls of
 * other teams as well, so that no amount of them is shown, only that one is exhausted.
 */
const budgetsWithoutAmounts: typeof budgets = async (ctx, next) => {
  await withoutAmounts(ctx, async () => {
    removeLeft(ctx);
    await next();
  });
  removeLeft(ctx);
};
const withoutAmounts = koaBudgets<Context>({
  amounts: 'none',
  context: (ctx) => ctx.state['budgets'] as BudgetContext,
});

/** What budgets leave. A stream has sent its headers. */
function removeLeft(ctx: Context): void {
  if (ctx.headerSent) return;
  ctx.remove('ratelimit');
  ctx.remove('ratelimit-policy');
}

/** Proxies may drop headers with `_`. */
const dimensionHeader = (name: string): string => `x-dimension-${name.replaceAll('_', '-')}`;

type UsageHeaders = Readonly<Record<string, string | undefined>>;

/** Believed as the user id is: from anyone who may chat. */
function usageHeaders(dimensions: readonly string[]): z.ZodType<UsageHeaders> {
  const header = z.string().trim().min(1).max(256).optional();
  return z.object({
    'x-team': header.describe('Team that the call is counted for'),
    ...Object.fromEntries(
      dimensions.map((name) => [dimensionHeader(name), header.describe(`Its ${name}`)]),
    ),
  }) as unknown as z.ZodType<UsageHeaders>;
}

function dimensionsIn(headers: UsageHeaders, dimensions: readonly string[]): UsageHeaders {
  return Object.fromEntries(dimensions.map((name) => [name, headers[dimensionHeader(name)]]));
}

/** A viewer limited to teams chats for one of them. */
function teamOf(ctx: Context, asked: string | undefined): string | undefined {
  const teams = teamsOf(ctx);
  if (teams === undefined) return asked;
  const team = asked ?? (teams.length === 1 ? teams[0] : undefined);
  if (team !== undefined && teams.includes(team)) return team;
  return ctx.throw(403, 'You may only chat for one of your teams: name it in team.', {
    code: 'other_team',
  });
}

function wire(answer: ChatAnswer): z.output<typeof chatAnswer> {
  return {
    conversation_id: answer.conversationId,
    response_id: answer.responseId,
    model: answer.model,
    message: answer.text,
    usage: answer.usage as z.output<typeof usage> | undefined,
  };
}

/** An error before the first event is an ordinary answer; later ones are sent as an event. */
async function sendEvents(
  ctx: Context,
  events: AsyncGenerator<ChatEvent>,
  endAnswers: AbortSignal | undefined,
): Promise<void> {
  const first = await events.next().catch((error: unknown) => fail(ctx, error));
  const stream = new EventStream(ctx);
  try {
    for (let step = first; step.done !== true; step = await events.next()) {
      const event = step.value;
      if (event.type === 'start') {
        stream.send({ event: 'start', data: { conversation_id: event.conversationId } });
      } else if (event.type === 'piece') {
        stream.send({ event: 'piece', data: { text: event.text } });
      } else stream.send({ event: 'end', data: wire(event.answer) });
    }
  } catch (error) {
    const refusal = budgetRefusal(error);
    const amounts = teamsOf(ctx) === undefined ? 'own' : 'none';
    const problem = refusal ? budgetAnswer([refusal], amounts).body : problemOf(error);
    stream.send({ event: 'error', data: endAnswers?.aborted ? STOPPING : problem });
  }
  stream.end();
}

const STOPPING = {
  status: 503,
  code: 'stopping',
  detail: 'The application is being stopped; the answer is not complete.',
};

function fail(ctx: Context, error: unknown): never {
  // Answered by the middleware.
  if (budgetRefusal(error)) throw error;
  const { status, code, detail } = problemOf(error);
  return ctx.throw(status, detail, { code, expose: true });
}

/** A provider's message may quote prompts or keys, so only what it is about goes on. */
function problemOf(error: unknown): {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
} {
  const { status, code } = (error ?? {}) as { status?: unknown; code?: unknown };
  if (code === 'model_not_found' || status === 404) {
    return {
      status: 422,
      code: 'unknown_model',
      detail: 'The provider has no such model; GET /api/chat/models lists some.',
    };
  }
  if (status === 429) {
    return { status: 503, code: 'provider_busy', detail: 'The provider asks to slow down.' };
  }
  return {
    status: 502,
    code: 'provider_failed',
    detail:
      typeof status === 'number'
        ? `The provider answered with status ${status}.`
        : 'The provider could not be reached.',
  };
}
