import assert from 'node:assert/strict';
import { docBlocks, docFiles } from '../../support/doc-blocks.ts';
import {
  answersWith,
  DOC_WIRE,
  documentedApp,
  REGISTER,
  type DocumentedApp,
} from '../../support/documented-app.ts';
import { invokeLambda } from '../../support/lambda-runtime.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../../support/otlp-receiver.ts';
import { influxRows } from '../../support/influx.ts';
import { freePort, requireServer, startInfluxd, startRedis } from '../../support/servers.ts';
import { chatPlain, chatStream } from '../../support/wire/openai-chat.ts';

/** Runs a program as its document says, and holds what its user would see against it. */
type Scene = (app: DocumentedApp, file: string, test: Mocha.Context) => Promise<void>;

interface Seen {
  readonly out?: RegExp;
  readonly err?: RegExp;
}

const LINE = /^alice gpt-4o .*18→9 tok .*$/m;

function holds(ran: { out: string; err: string }, { out, err }: Seen): void {
  if (out !== undefined) assert.match(ran.out, out, ran.err);
  if (err === undefined) assert.doesNotMatch(ran.err, /Error|Warning/);
  else assert.match(ran.err, err);
}

/** Runs to its end. */
const ends =
  (seen: Seen, { preload = REGISTER }: { readonly preload?: readonly string[] } = {}): Scene =>
  async (app, file) => {
    const ran = await app.run('node', [...preload, file]);
    assert.equal(ran.code, 0, ran.err);
    holds(ran, seen);
  };

const streams =
  (seen: Seen): Scene =>
  async (app, file, test) => {
    app.wire.play(chatStream(DOC_WIRE));
    await ends(seen)(app, file, test);
  };

/** A web server with a route for a chat. */
const chats: Scene = async (app, file) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/chat`;
  const body = { message: 'When is high tide?' };
  let isAnswered = false;
  const env = { PORT: `${port}` };
  await app.serve('node', [...REGISTER, file], env, async ({ err }) => {
    isAnswered ||= await answersWith(url, /twice a day/, body);
    return isAnswered && LINE.test(err);
  });
};

/** A server under a budget of one call a user: the second one is refused, others are not. */
const limits: Scene = async (app, file) => {
  const port = await freePort();
  const budget = { id: 'one', scope: { each: ['user'] }, window: 'day', limit: { calls: 1 } };
  const env = {
    PORT: `${port}`,
    TOKEN_METER_BUDGETS: JSON.stringify([{ ...budget, mode: 'block' }]),
  };
  const ask = async (user: string): Promise<Response | undefined> =>
    await fetch(`http://127.0.0.1:${port}/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-user-id': user },
      body: '{"message":"When is high tide?"}',
    }).catch(() => undefined);
  let refused: Response | undefined;
  await app.serve('node', [...REGISTER, file], env, async () => {
    const answer = await ask('alice');
    if (answer?.status === 429) refused = answer;
    return refused !== undefined && (await ask('bob'))?.status === 200;
  });
  assert.match(refused?.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.ok(Number(refused?.headers.get('retry-after')) > 0);
  assert.match(refused?.headers.get('ratelimit') ?? '', /^"one";r=0;t=\d+$/);
  const problem = (await refused?.json()) as { readonly code: string };
  assert.equal(problem.code, 'budget_exceeded');
};

/** The ledger of two calls in the project's folder. */
async function withLedger(app: DocumentedApp): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const { code, err } = await app.call(REGISTER, { TOKEN_METER_PROVIDER: 'sqlite' });
    assert.equal(code, 0, err);
  }
}

const withConfiguration = async (app: DocumentedApp, doc: string, file: string): Promise<void> =>
  await app.write(file, docBlocks(doc).find((block) => block.file === file)?.text ?? '');

/** A program that writes to the InfluxDB of its document, and the measurements that are there then. */
const writes =
  (database: string, measurements: readonly string[], use: (file: string) => string): Scene =>
  async (app, file, test) => {
    requireServer(test, 'influxd');
    const influxd = await startInfluxd({ databases: [database] });
    try {
      const source = docBlockNamed(file).text;
      await app.write(file, source.replaceAll('http://localhost:8086', influxd.url));
      await app.write('use.mjs', use(file));
      const ran = await app.run('node', ['--import', `./${file}`, ...REGISTER, 'use.mjs']);
      assert.equal(ran.code, 0, ran.err);
      for (const measurement of measurements) {
        const rows = await influxRows(influxd.url, database, `SELECT * FROM "${measurement}"`);
        assert.ok(rows.length > 0, `${measurement}: ${ran.err}`);
      }
    } finally {
      await influxd.stop();
    }
  };

/** Standard variables, in the place of those that keep other programs from exporting. */
const exportsTo = ({ httpUrl }: OtlpReceiver): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl,
  OTEL_TRACES_EXPORTER: '',
  OTEL_METRICS_EXPORTER: '',
  OTEL_LOGS_EXPORTER: '',
});

const signalsAt = ({ requests }: OtlpReceiver): readonly string[] =>
  [...new Set(requests.map(({ signal }) => signal))].toSorted();

const SCENES: Readonly<Record<string, Scene>> = {
  'app.mjs': ends({ out: /twice a day/, err: LINE }),
  'who.mjs': ends({ err: /^alice gpt-4o conv-7 18→9 tok .*$/m }),
  'wrap.mjs': ends({ err: /^alice tide-1 18→4 tok .*$/m }),
  'record.mjs': ends({ err: /^alice gpt-4o \d+→\d+ tok .*$/m }),
  'who-calls.mjs': ends({ err: /^alice gpt-4o conv-7 18→9 tok .*$/m }),
  'any-model.mjs': ends({ out: /^1 message to gpt-4o$/m, err: /^alice gpt-4o \d+→\d+ tok .*$/m }),
  'count-first.mjs': ends({ out: /^5 12 exact$/m }, { preload: [] }),
  'express.mjs': chats,
  'budgets-express.mjs': limits,
  'budgets-koa.mjs': limits,
  'budgets-fastify.mjs': limits,
  'live-budgets.mjs': async (app, file, test) => {
    requireServer(test, 'redis-server');
    const redis = await startRedis();
    try {
      await app.write(
        'use.mjs',
        `import { budgetStatus } from 'otel-token-meter';
import { budgets } from './${file}';
const shown = async () => (await budgetStatus()).map(({ id, limit }) => id + ' ' + limit).join();
console.log(await shown());
await budgets.patch({ everything: { window: 'month', limit: { usd: 5 } } }, { actor: 'alice' });
console.log(await shown());
await budgets.close();`,
      );
      const ran = await app.run('node', ['use.mjs'], { REDIS_URL: redis.url });
      assert.equal(ran.code, 0, ran.err);
      holds(ran, { out: /^everything 2000\neverything 5\n$/ });
    } finally {
      await redis.stop();
    }
  },
  'koa.mjs': chats,
  'hono.mjs': chats,
  'nest.ts': async (app, file, test) => {
    const options = '--module nodenext --target es2022 --strict --skipLibCheck --types node';
    const decorators = '--experimentalDecorators --emitDecoratorMetadata';
    const tsc = ['tsc', file, ...options.split(' '), ...decorators.split(' ')];
    const compiled = await app.run('npx', tsc);
    assert.equal(compiled.code, 0, compiled.out);
    await chats(app, file.replace('.ts', '.js'), test);
  },
  'lambda.mjs': async (app, file) => {
    const receiver = await startOtlpReceiver();
    try {
      let arrived: readonly string[] = [];
      const { kind, body } = await invokeLambda(
        app,
        file,
        { headers: { 'x-user-id': 'alice' }, body: '{"message":"When is high tide?"}' },
        { ...exportsTo(receiver), NODE_OPTIONS: '--import otel-token-meter/register' },
        () => (arrived = signalsAt(receiver)),
      );
      assert.deepEqual(
        [kind, JSON.parse(body)],
        ['response', { statusCode: 200, body: 'The tide comes in twice a day.' }],
      );
      assert.deepEqual(arrived, ['logs', 'metrics', 'traces']);
    } finally {
      await receiver.close();
    }
  },
  // The context that Vercel gives a function, and its end after the response and what it waits for.
  'vercel.mjs': async (app, file) => {
    const receiver = await startOtlpReceiver();
    try {
      await app.write(
        'use.mjs',
        `const waited = [];
globalThis[Symbol.for('@vercel/request-context')] = {
  get: () => ({ waitUntil: (promise) => waited.push(promise) }),
};
const { POST } = await import('./${file}');
const response = await POST(new Request('http://localhost/api/chat', {
  method: 'POST',
  headers: { 'x-user-id': 'alice' },
  body: '{"message":"When is high tide?"}',
}));
console.log(await response.text(), waited.length);
await Promise.all(waited);
process.kill(process.pid, 'SIGKILL');`,
      );
      const ran = await app.run('node', ['use.mjs'], exportsTo(receiver));
      assert.match(ran.out, /^\{"answer":"The tide comes in twice a day\."\} 1\n$/, ran.err);
      assert.deepEqual(signalsAt(receiver), ['logs', 'metrics', 'traces']);
    } finally {
      await receiver.close();
    }
  },
  'registry.mjs': ends({ out: /^$/ }, { preload: [] }),
  'fastify.mjs': chats,
  'stream.mjs': streams({ out: /twice a day/, err: LINE }),
  'own-stream.mjs': ends({ out: /Twice a day\./, err: /^alice gpt-4o \d+→\d+ tok .*$/m }),
  'context.mjs': ends({
    err: /^alice gpt-4o conv-7 18→9 tok .*\nalice gpt-4o conv-7 18→9 tok .*$/m,
  }),
  'teams.mjs': ends({ err: LINE }),
  'own-viewer.mjs': async (app, file, test) => {
    await withLedger(app);
    await ends({ out: /^0$/m }, { preload: [] })(app, file, test);
  },
  'decorated.mjs': ends({ out: /Twice a day\./, err: /^alice gpt-4o \d+→\d+ tok .*$/m }),
  'run.mjs': ends({ out: /^Twice a day\.$/m }),
  'manual.mjs': ends({ out: /^\d+ counted$/m }),
  'by-hand.mjs': ends({ out: /^gpt-4o 27$/m }, { preload: [] }),
  'count.mjs': ends(
    { out: /^5\n\{ encoding: 'o200k_harmony', quality: 'exact' \}\n12 exact 5\n$/ },
    { preload: [] },
  ),

  'decorator.ts': async (app, file) => {
    const compiled = await app.run('npx', [
      'tsc',
      file,
      '--module',
      'nodenext',
      '--target',
      'es2022',
    ]);
    assert.equal(compiled.code, 0, compiled.out);
    await app.write(
      'use.mjs',
      `import { TideService } from './${file.replace('.ts', '.js')}';
await new TideService().ask({ body: { user: { id: 'alice' } }, model: 'tide-1', messages: [] });`,
    );
    const ran = await app.run('node', [...REGISTER, 'use.mjs']);
    assert.equal(ran.code, 0, ran.err);
    holds(ran, { err: /^alice tide-1 18→4 tok .*$/m });
  },

  'telemetry.mjs': async (app, file) => {
    const ran = await app.call(['--import', `./${file}`], { OTEL_TRACES_EXPORTER: 'console' });
    assert.equal(ran.code, 0, ran.err);
    holds(ran, { out: /name: 'chat gpt-4o'/ });
    assert.match(ran.out, /'gen_ai\.usage\.input_tokens': 18/);
  },

  'prometheus.mjs': async (app, file) => {
    const port = await freePort();
    await app.write('stays.mjs', `import './app.mjs'; setInterval(() => undefined, 1000);`);
    const args = ['--import', `./${file}`, 'stays.mjs'];
    const sum = /gen_ai_client_token_usage\w*_sum\{[^}]*gen_ai_token_type="input"[^}]*\} 18/;
    const url = `http://127.0.0.1:${port}/metrics`;
    await app.serve('node', args, { PORT: `${port}` }, async () => await answersWith(url, sum));
  },

  // Ends by itself: what waits is delivered once more, without a shutdown.
  'influx.mjs': writes('llm_metrics', ['llm_usage'], () => `import './app.mjs';`),
  'exporters.mjs': writes(
    'llm',
    ['llm_usage', 'gen_ai_client_token_usage'],
    (file) => `import { flush } from 'otel-token-meter';
import { sdk } from './${file}';
await import('./app.mjs');
await flush();
await sdk.shutdown();`,
  ),

  'fleet.mjs': async (app, file, test) => {
    requireServer(test, 'redis-server');
    const redis = await startRedis();
    try {
      await app.write(
        'use.mjs',
        `import { recordUsage } from 'otel-token-meter';
import { settings } from './${file}';
const call = async () => await recordUsage({ model: 'gpt-4o', inputTokens: 7, outputTokens: 1 });
const applied = (wanted) => new Promise((resolve) => {
  const done = () => settings.get().enabled === wanted && resolve();
  settings.subscribe(done);
  done();
});
console.log('statistics off:', (await call()).inputTokens);
await settings.patch({ token_statistics: true }, { actor: 'alice' });
console.log('on:', (await call()).inputTokens);
await settings.patch({ enabled: false }, { actor: 'alice' });
await applied(false);
console.log('off:', await call());
await settings.close();`,
      );
      const ran = await app.run('node', ['use.mjs'], { REDIS_URL: redis.url });
      assert.equal(ran.code, 0, ran.err);
      holds(ran, { out: /^statistics off: undefined\non: 7\noff: undefined\n$/ });
    } finally {
      await redis.stop();
    }
  },

  'report.mjs': async (app, file) => {
    await withLedger(app);
    await app.write(
      'use.mjs',
      docBlockNamed(file).text + 'console.log(rows[0].user, total.calls);',
    );
    const ran = await app.run('node', ['use.mjs']);
    assert.equal(ran.code, 0, ran.err);
    holds(ran, { out: /^alice [1-9]\d*\n$/ });
  },
  'savings.mjs': async (app, file, test) => {
    await withLedger(app);
    await ends({ out: /^[\d.e-]+ 0\.\d+\n$/ }, { preload: [] })(app, file, test);
  },
  'reprice.mjs': async (app, file, test) => {
    await withLedger(app);
    await ends({ out: /^[1-9]\d* of [1-9]\d* changed$/m }, { preload: [] })(app, file, test);
  },
  'alerts.mjs': async (app, file, test) => {
    await withLedger(app);
    await withConfiguration(app, 'docs/alerts.md', 'alerts.json');
    // Nobody reaches the limits of the document with two calls; one call reaches this one.
    const rules = docBlocks('docs/alerts.md').find((block) => block.file === 'alerts.json');
    await app.write('alerts.json', (rules?.text ?? '').replace('1000000', '20'));
    await ends({ out: /^tokens of one user alert \d+$/m }, { preload: [] })(app, file, test);
  },
};

/** Run by Next itself, in next.test.ts beside this file. */
const OF_NEXT: readonly string[] = [
  'next.config.mjs',
  'instrumentation.js',
  'app/api/chat/route.js',
  'app/api/ask/route.js',
];

function docBlockNamed(name: string): { readonly text: string } {
  const found = docFiles()
    .flatMap(docBlocks)
    .find(({ file }) => file === name);
  assert.ok(found !== undefined, name);
  return found;
}

describe('programs of the documents, in a new project', () => {
  let app: DocumentedApp;
  before(async () => {
    app = await documentedApp([
      'express@5',
      'koa@3',
      'fastify@5',
      'hono@4',
      '@hono/node-server@2',
      '@nestjs/core@12',
      '@nestjs/common@12',
      '@nestjs/platform-express@12',
      'reflect-metadata@0.2',
      'rxjs@7',
      '@types/node@24',
      'aws-lambda-ric@4',
      '@vercel/functions@3',
      'ioredis@5',
      '@opentelemetry/sdk-node@^0.301.0',
      '@opentelemetry/sdk-metrics@^3.1.0',
      '@opentelemetry/exporter-prometheus@^0.301.0',
      'typescript@~5.9.0',
    ]);
  });
  after(async () => await app?.remove());

  for (const block of docFiles().flatMap(docBlocks)) {
    const { doc, file, language, text } = block;
    if (language !== 'js' && language !== 'ts') continue;
    if (file === undefined || OF_NEXT.includes(file)) continue;
    it(`${doc}: ${file}`, async function () {
      const scene = SCENES[file];
      assert.ok(scene !== undefined, `nobody says what ${file} does`);
      app.wire.play(chatPlain(DOC_WIRE));
      await app.write(file, text);
      await scene(app, file, this);
    });
  }
});
