import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import express from 'express';
import Fastify from 'fastify';
import { apiRoute } from '../../example-app/routes/api-route.ts';
import {
  BudgetExceededError,
  type BudgetStatus,
  budgetAnswer,
  budgetErrorEvents,
  budgetRefusal,
  expressBudgetErrors,
  expressBudgets,
  fastifyBudgetErrors,
  fastifyBudgets,
  koaBudgets,
  rateLimitHeaders,
} from '../../src/budgets/index.ts';
import { checkRequest } from '../../src/budgets/web/middleware-options.ts';
import { withUsageContext } from '../../src/index.ts';
import { serveApp } from '../support/app.ts';

const resetsAt = new Date(Date.now() + 3_600_000).toISOString();

function status(more: Partial<BudgetStatus> = {}): BudgetStatus {
  return {
    id: 'per-user',
    key: { user: 'alice' },
    mode: 'block',
    unit: 'usd',
    limit: 3,
    spent: 3.01,
    reserved: 0,
    remaining: 0,
    from: '2026-11-29T00:00:00.000Z',
    resetsAt,
    blocked: true,
    stale: false,
    ...more,
  };
}

const refused = new BudgetExceededError({
  budgetId: 'per-user',
  budgetKey: { user: 'alice' },
  unit: 'usd',
  limit: 3,
  spent: 3.01,
  reserved: 0,
  resetsAt,
});

/** The handlers that the middlewares stand around, by path. */
type Handler = (response: ServerResponse) => Promise<string | Readable>;
const handlers: Readonly<Record<string, Handler>> = {
  '/ok': async () => 'fine',
  '/refused': async () => {
    throw new Error('the chain failed', { cause: refused });
  },
  '/broken': async () => {
    throw new Error('secret of the host');
  },
  '/events': async (response) => {
    response.statusCode = 200;
    response.setHeader('content-type', 'text/event-stream');
    response.write('data: one\n\n');
    throw Object.assign(new Error('Failed after 3 attempts'), { lastError: refused });
  },
  '/text': async (response) => {
    response.setHeader('content-type', 'text/plain');
    response.write('half of ');
    throw refused;
  },
};

interface Served {
  readonly url: string;
  close(): Promise<void>;
}

async function serve(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<Served> {
  const server = createServer((request, response) => void listener(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const asked: unknown[] = [];
const statusOf = async (context: { userId?: string | undefined }): Promise<BudgetStatus[]> => {
  asked.push(context);
  if (context.userId === 'alice') return [status()];
  return [status({ blocked: false, remaining: 1.5 }), status({ id: 'seen', mode: 'warn' })];
};

/** The application is Koa. */
async function serveKoa(): Promise<Served> {
  const budgets = koaBudgets({ status: statusOf });
  const route = apiRoute({
    method: 'get',
    path: '/{name}',
    summary: 'What the middleware stands around',
    role: 'anyone',
    answers: {},
    async handle(ctx) {
      const answer = async (): Promise<void> => {
        if (ctx.path === '/stream') {
          ctx.type = 'text/event-stream';
          ctx.body = Readable.from(cutStream());
          return;
        }
        if (ctx.path === '/events' || ctx.path === '/text') ctx.respond = false;
        ctx.body = await handlers[ctx.path]?.(ctx.res);
      };
      await withUsageContext({ userId: ctx.get('x-user') }, () => budgets(ctx, answer));
    },
  });
  const app = await serveApp({ routes: [route] });
  return { url: app.origin, close: async () => await app.close() };
}

async function* cutStream(): AsyncGenerator<string> {
  yield 'data: one\n\n';
  throw refused;
}

async function serveExpress(): Promise<Served> {
  const app = express();
  app.use(
    expressBudgets<express.Request>({
      status: statusOf,
      context: (request) => ({ userId: request.get('x-user') }),
    }),
  );
  app.get('/stream', (_request, response) => {
    budgetErrorEvents(cutStream()).pipe(response.type('text/event-stream'));
  });
  app.get('/{*path}', async (request, response) => {
    response.send(await handlers[request.path]?.(response));
  });
  app.use(expressBudgetErrors());
  // Express writes what it does not know to the console of the host.
  app.use(((_error, _request, response, _next) => {
    response.status(500).end('Internal Server Error');
  }) satisfies express.ErrorRequestHandler);
  return await serve(app);
}

async function serveFastify(): Promise<Served> {
  const app = Fastify();
  // Fastify's own shows the message to everybody.
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send('Internal Server Error'));
  app.register((routes, _options, done) => {
    routes.addHook('onRequest', (request, _reply, next) => {
      withUsageContext({ userId: String(request.headers['x-user']) }, next);
    });
    routes.addHook('preHandler', fastifyBudgets({ status: statusOf }));
    routes.setErrorHandler(fastifyBudgetErrors());
    routes.get('/stream', (_request, reply) =>
      reply.type('text/event-stream').send(budgetErrorEvents(cutStream())),
    );
    routes.get('/*', async (request, reply) => await handlers[request.url]?.(reply.raw));
    done();
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    url,
    async close() {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

for (const [name, start] of [
  ['Koa', serveKoa],
  ['Express', serveExpress],
  ['Fastify', serveFastify],
] as const) {
  describe(`budgets in ${name}`, () => {
    let app: Served;

    before(async () => {
      app = await start();
    });

    after(async () => {
      await app.close();
    });

    const ask = async (path: string, user = 'bob'): Promise<Response> =>
      await fetch(app.url + path, { headers: { 'x-user': user } });

    async function expect429(answer: Response): Promise<void> {
      assert.equal(answer.status, 429);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
      const wait = Number(answer.headers.get('retry-after'));
      assert.ok(wait > 3000 && wait <= 3600, String(wait));
      assert.equal(answer.headers.get('ratelimit-policy'), '"per-user";q=3000000;qu="micro-usd"');
      assert.match(answer.headers.get('ratelimit') ?? '', /^"per-user";r=0;t=\d+$/);
      assert.deepEqual(await answer.json(), {
        type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
        title: 'Budget exceeded',
        status: 429,
        detail: `The budget per-user is exhausted until ${resetsAt}.`,
        code: 'budget_exceeded',
        'violated-policies': ['per-user'],
        budget: 'per-user',
        resets_at: resetsAt,
        unit: 'usd',
        limit: 3,
        spent: 3.01,
      });
    }

    it('answers 429 before the handler runs', async () => {
      await expect429(await ask('/broken', 'alice'));
      assert.deepEqual((asked.at(-1) as { userId: string }).userId, 'alice');
    });

    it('lets others through, and says what is left to them', async () => {
      const answer = await ask('/ok');
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), 'fine');
      assert.equal(answer.headers.get('ratelimit-policy'), '"per-user";q=3000000;qu="micro-usd"');
      assert.match(answer.headers.get('ratelimit') ?? '', /^"per-user";r=1500000;t=\d+$/);
      assert.equal(answer.headers.get('retry-after'), null);
    });

    it('answers 429 to a call that was refused inside, however wrapped', async () => {
      await expect429(await ask('/refused'));
    });

    it('leaves other errors alone', async () => {
      const answer = await ask('/broken');
      assert.equal(answer.status, 500);
      assert.doesNotMatch(await answer.text(), /secret|budget/);
    });

    it('ends events that have begun with an event', async () => {
      const answer = await ask('/events');
      assert.equal(answer.status, 200);
      const [first, last] = (await answer.text()).split('\n\n');
      assert.equal(first, 'data: one');
      const [event, data = ''] = (last ?? '').split('\ndata: ');
      assert.equal(event, 'event: error');
      assert.equal(JSON.parse(data).code, 'budget_exceeded');
    });

    it('ends a stream of events that is sent as a whole with an event', async () => {
      const text = await (await ask('/stream')).text();
      assert.match(text, /^data: one\n\nevent: error\ndata: \{.*"code":"budget_exceeded".*\}\n\n$/);
    });

    it('cuts off another answer that has begun, which must not look complete', async () => {
      await assert.rejects(async () => await (await ask('/text')).text());
    });
  });
}

describe('the answer of an exhausted budget', () => {
  const nowMs = Date.parse('2026-11-30T23:00:00Z');
  const at = (resets: string, more: Partial<BudgetStatus> = {}): BudgetStatus =>
    status({ resetsAt: resets, ...more });

  it('asks to wait until the last of several resets', () => {
    const { headers, body } = budgetAnswer(
      [
        at('2026-12-01T00:00:00.000Z', { id: 'month' }),
        at('2026-11-30T23:30:00.500Z', { id: 'hour' }),
        at('2026-11-30T23:30:00.500Z', { id: 'hour', key: { user: 'b' } }),
      ],
      'own',
      nowMs,
    );
    assert.equal(headers['retry-after'], '3600');
    assert.equal(headers['ratelimit'], '"month";r=0;t=3600, "hour";r=0;t=1801');
    assert.deepEqual(body['violated-policies'], ['month', 'hour']);
  });

  it('shows amounts of shared budgets to nobody, unless told to', () => {
    const shared = at('2026-12-01T00:00:00.000Z', { id: 'all', key: {}, limit: 987, spent: 987.6 });
    for (const key of [{}, { team: 'search' }, { user: null }]) {
      const text = JSON.stringify(budgetAnswer([{ ...shared, key }], 'own', nowMs));
      assert.doesNotMatch(text, /987/);
      assert.match(text, /q=100;qu=\\"percent\\"/);
    }
    assert.match(JSON.stringify(budgetAnswer([shared], 'all', nowMs)), /987\.6/);
    assert.doesNotMatch(JSON.stringify(budgetAnswer([at(resetsAt)], 'none', nowMs)), /3\.01/);
    const left = rateLimitHeaders([{ ...shared, remaining: 246.8 }], 'own', nowMs);
    assert.match(left['ratelimit'] ?? '', /^"all";r=25;/);
  });

  it('never asks to come back before now, nor writes what no structured field may hold', () => {
    const late = at('2026-11-30T22:00:00.000Z', { unit: 'tokens', limit: 2 ** 53 - 1 });
    const { headers } = budgetAnswer([late], 'own', nowMs);
    assert.equal(headers['retry-after'], '1');
    assert.equal(headers['ratelimit-policy'], '"per-user";q=999999999999999;qu="tokens"');
  });

  it('asks to wait a second where running calls have reserved the rest', async () => {
    const running = status({ spent: 1, reserved: 2 });
    const checked = await checkRequest(undefined, {
      status: async () => [running],
      context: () => ({}),
    });
    const refusal = budgetRefusal(
      new BudgetExceededError({
        budgetId: 'per-user',
        budgetKey: { user: 'alice' },
        unit: 'usd',
        limit: 3,
        spent: 1,
        reserved: 2,
        resetsAt: new Date(Date.now() + 1000).toISOString(),
        isReserved: true,
      }),
    );
    for (const answer of [checked.answer!, budgetAnswer([refusal!])]) {
      assert.equal(answer.headers['retry-after'], '1');
      assert.equal(
        answer.body.detail,
        'The rest of the budget per-user is reserved by running calls.',
      );
    }
  });

  it('is found in whatever frameworks make of the error', () => {
    const id = (error: unknown): string | undefined => budgetRefusal(error)?.id;
    const ofSdk = Object.assign(new Error('429'), Object.fromEntries(Object.entries(refused)));
    for (const error of [
      refused,
      ofSdk,
      new Error('', { cause: new Error('', { cause: ofSdk }) }),
      Object.assign(new Error('retries'), { errors: [new Error('first'), ofSdk] }),
      new AggregateError([new Error('a'), refused]),
    ]) {
      assert.equal(id(error), 'per-user');
    }
    const circular: { cause?: unknown } = {};
    circular.cause = circular;
    const throwing = Object.defineProperty({}, 'cause', {
      get() {
        throw new Error('of the host');
      },
    });
    for (const error of [circular, throwing, undefined, null, 'text', new Error('429')]) {
      assert.equal(id(error), undefined);
    }
  });
});
