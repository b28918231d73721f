import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { influxOptions } from '../../exporter/influxdb/influx-config.ts';
import { resolveInfluxOptions } from '../../exporter/influxdb/influx-options.ts';
import { describeProblems } from '../../src/config/problem.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { ResolvedConfig, ResolveOptions } from '../../src/config/resolve.ts';
import { configuredSettingsStore } from '../../src/settings/stores/configured.ts';

function resolve(yaml: string | undefined, options: ResolveOptions = {}): ResolvedConfig {
  return resolveConfig({
    env: {},
    ...(yaml !== undefined && { file: 'otel.yaml', readFile: () => yaml }),
    ...options,
  });
}

const block = (body: string): string =>
  `file_format: "1.1"\ndistribution:\n  token_meter:\n${body}`;

describe('resolveConfig', () => {
  it('has the documented defaults and no problem without any source', () => {
    const { values, problems, settings } = resolve(undefined);
    assert.deepEqual(problems, []);
    assert.equal(values.counting, 'missing');
    assert.equal(values.metricNames, 'v1_41');
    assert.equal(values.captureContent, false);
    assert.equal(values.metrics.enabled, true);
    assert.equal(values.metrics.tokenStatistics, true);
    assert.equal(values.metrics.influxdb.batchSize, 50);
    assert.equal(values.metrics.influxdb.flushIntervalMs, 10_000);
    assert.equal('token' in values.metrics.influxdb, false);
    assert.ok(settings.every(({ origin }) => origin.from === 'default'));
  });

  it('lets code win over the environment, that over the file, that over the default', () => {
    const yaml = block('    metrics: { influxdb: { batch_size: 7 } }\n');
    const env = { TOKEN_METER_BATCH_SIZE: '8' };
    const code = { metrics: { influxdb: { batchSize: 9 } } };
    const size = (resolved: ResolvedConfig): number => resolved.values.metrics.influxdb.batchSize;
    assert.equal(size(resolve(undefined)), 50);
    assert.equal(
      size(resolve(undefined, { defaults: { metrics: { influxdb: { batchSize: 5 } } } })),
      5,
    );
    assert.equal(size(resolve(yaml)), 7);
    assert.equal(size(resolve(yaml, { env })), 8);
    assert.equal(size(resolve(yaml, { env, code })), 9);
  });

  it('reads budgets from file, environment and code; a wrong one does not take the others away', () => {
    const yaml = block(`    budgets:
      - id: all
        window: month
        limit:
          usd: \${TOTAL:-500}
      - id: each-user
        scope: { each: [user], model: "gpt-5*" }
        window: { calendar: day, time_zone: Europe/Berlin }
        limit: { calls: 100 }
        mode: block
        when_store_down: block
      - { id: both, window: day, limit: { usd: 1, calls: 2 } }
      - { id: all, window: day, limit: { usd: 1 } }
      - { id: typo, windows: day, limit: { usd: 1 } }
      - 5
`);
    const { values, problems } = resolve(yaml);
    assert.deepEqual(values.budgets, [
      { id: 'all', window: 'month', limit: { usd: 500 } },
      {
        id: 'each-user',
        scope: { each: ['user'], model: 'gpt-5*' },
        window: { calendar: 'day', timeZone: 'Europe/Berlin' },
        limit: { calls: 100 },
        mode: 'block',
        whenStoreDown: 'block',
      },
    ]);
    assert.deepEqual(
      problems.map(({ key, line, allowed }) => [key, line, allowed.slice(0, 16)]),
      [
        ['distribution.token_meter.budgets[2].limit', 4, 'exactly one of u'],
        ['distribution.token_meter.budgets[3].id', 4, 'another id: this'],
        ['distribution.token_meter.budgets[4].windows', 4, 'id, scope, windo'],
        ['distribution.token_meter.budgets[5].id', 4, '1 to 128 letters'],
      ],
    );
    const json = '[{"id": "one", "window": "day", "limit": {"tokens": 5}}, {"id": "-"}]';
    const fromEnv = resolve(yaml, { env: { TOKEN_METER_BUDGETS: json } });
    assert.deepEqual(fromEnv.values.budgets, [{ id: 'one', window: 'day', limit: { tokens: 5 } }]);
    assert.equal(fromEnv.problems.at(-1)?.key, 'TOKEN_METER_BUDGETS[1].id');
    const noJson = resolve(undefined, { env: { TOKEN_METER_BUDGETS: 'all' } });
    assert.match(noJson.problems[0]?.allowed ?? '', /^a list of budgets/);
    const budgets = [{ id: 'mine', window: { rolling: '24h' }, limit: { usd: 1 } }] as const;
    assert.deepEqual(resolve(yaml, { code: { budgets } }).values.budgets, budgets);
    const wrong = resolve(undefined, {
      code: { budgets: [{ ...budgets[0], limit: {} }] as never },
    });
    assert.match(wrong.problems[0]?.allowed ?? '', /^budgets\[0\]\.limit/);
  });

  it('reads a secret from the file that a variable names, unless it is given itself', () => {
    const secret = (env: Record<string, string>, content: string): ResolvedConfig =>
      resolveConfig({
        env,
        readFile(path) {
          if (path !== '/run/secrets/token') throw new Error('ENOENT');
          return content;
        },
      });
    const env = { INFLUX_TOKEN_FILE: '/run/secrets/token' };
    const given = secret(env, 'from-file\n');
    assert.deepEqual(given.problems, []);
    assert.equal(given.values.metrics.influxdb.token, 'from-file');
    assert.deepEqual(
      given.settings.find(({ setting }) => setting.key === 'metrics.influxdb.token')?.origin,
      { from: 'env', variable: 'INFLUX_TOKEN_FILE' },
    );
    const both = secret({ ...env, INFLUX_TOKEN: 'given' }, 'from-file');
    assert.equal(both.values.metrics.influxdb.token, 'given');
    for (const wrong of [secret(env, ' \n'), secret({ INFLUX_TOKEN_FILE: '/none' }, '')]) {
      assert.equal(wrong.values.metrics.influxdb.token, undefined);
      assert.equal(wrong.problems[0]?.key, 'INFLUX_TOKEN_FILE');
      assert.equal(wrong.problems[0]?.allowed, 'a readable file that is not empty');
    }
    const url = { TOKEN_METER_ALERT_WEBHOOK_URL_FILE: '/run/secrets/token' };
    assert.equal(secret(url, 'https://hooks.test/x\n').problems.length, 0);
    const message = describeProblems(secret(url, 'hunter2').problems) ?? '';
    assert.match(
      message,
      /WEBHOOK_URL_FILE is "\/run\/secrets\/token"; allowed: a file with a URL/,
    );
    assert.doesNotMatch(message, /hunter2/);
    assert.deepEqual(secret({ INFLUX_BUCKET_FILE: '/run/secrets/token' }, 'b').problems, []);
  });

  it('tells where each value came from, with the line of the file', () => {
    const { settings } = resolve(block('    metrics:\n      enabled: false\n'), {
      env: { TOKEN_METER_COUNTING: 'never' },
      code: { metrics: { tokenStatistics: false } },
    });
    const origin = (key: string): unknown =>
      settings.find(({ setting }) => setting.key === key)?.origin;
    assert.deepEqual(origin('metrics.enabled'), { from: 'file', file: 'otel.yaml', line: 5 });
    assert.deepEqual(origin('counting'), { from: 'env', variable: 'TOKEN_METER_COUNTING' });
    assert.deepEqual(origin('metrics.token_statistics'), { from: 'code' });
    assert.deepEqual(origin('metrics.provider'), { from: 'default' });
  });

  it('takes seconds in the file and the environment, milliseconds in code', () => {
    const ms = (resolved: ResolvedConfig): number =>
      resolved.values.metrics.influxdb.flushIntervalMs;
    assert.equal(ms(resolve(block('    metrics: { influxdb: { flush_interval: 2.5 } }\n'))), 2500);
    assert.equal(ms(resolve(undefined, { env: { TOKEN_METER_FLUSH_INTERVAL: '3' } })), 3000);
    assert.equal(
      ms(resolve(undefined, { code: { metrics: { influxdb: { flushIntervalMs: 40 } } } })),
      40,
    );
  });

  it('reads the file this package ships, with and without its variables', () => {
    const yaml = readFileSync(new URL('../../otel.config.yaml', import.meta.url), 'utf8');
    const bare = resolve(yaml);
    assert.deepEqual(bare.problems, []);
    assert.equal(bare.values.metrics.provider, 'influxdb');
    assert.equal(bare.values.metrics.influxdb.url, 'http://localhost:8086');
    assert.equal(bare.values.metrics.influxdb.org, 'knowledge_qa_org');
    assert.equal('token' in bare.values.metrics.influxdb, false);
    assert.equal(bare.values.settings.store, 'file');
    const env = { INFLUX_TOKEN: 'secret-1', INFLUX_URL: 'http://db.example:8086' };
    const full = resolve(yaml, { env });
    assert.equal(full.values.metrics.influxdb.token, 'secret-1');
    assert.equal(full.values.metrics.influxdb.url, 'http://db.example:8086');
  });

  it('substitutes as the specification says', () => {
    const yaml = block(
      '    metrics:\n      token_statistics: ${FLAG}\n      influxdb:\n        bucket: "a$$b-${env:B}-${C:-d:-e}"\n        batch_size: ${N:-12}\n',
    );
    const { values, problems } = resolve(yaml, { env: { FLAG: 'false', B: 'x' } });
    assert.deepEqual(problems, []);
    assert.equal(values.metrics.tokenStatistics, false);
    assert.equal(values.metrics.influxdb.bucket, 'a$b-x-d:-e');
    assert.equal(values.metrics.influxdb.batchSize, 12);
  });

  it('names key, value, what is allowed and the line, all at once, and goes on', () => {
    const { values, problems } = resolve(
      block(
        [
          '    metrics:',
          '      provider: influx',
          '      enable: true',
          '      influxdb: { batch_size: 0, url: "localhost" }',
          '    settings: [file]',
          '',
        ].join('\n'),
      ),
      { env: { TOKEN_METER_ENABLED: 'maybe' }, code: { counting: 'often' as 'always' } },
    );
    assert.equal(values.metrics.provider, 'console');
    assert.equal(values.metrics.enabled, true);
    assert.equal(values.counting, 'missing');
    const text = describeProblems(problems) ?? '';
    for (const part of [
      'otel.yaml:5: distribution.token_meter.metrics.provider is "influx"; allowed: influxdb, sqlite',
      'otel.yaml:6: distribution.token_meter.metrics.enable; allowed: no such key (did you mean enabled?)',
      'otel.yaml:7: distribution.token_meter.metrics.influxdb.batch_size is 0; allowed: a whole number from 1 to',
      'otel.yaml:7: distribution.token_meter.metrics.influxdb.url is "localhost"; allowed: a URL that starts with http:// or https://',
      'otel.yaml:8: distribution.token_meter.settings is ["file"]; allowed: a mapping of settings',
      'TOKEN_METER_ENABLED is "maybe"; allowed: true or false',
      'counting is "often"; allowed: missing, always, never',
    ]) {
      assert.ok(text.includes(part), `${part}\nis not in\n${text}`);
    }
    assert.equal(problems.length, 7);
  });

  it('tells the line of a syntax error and of a missing file, and uses the defaults', () => {
    const broken = resolve('file_format: "1.1"\ndistribution: {token_meter: [\n');
    assert.equal(broken.values.metrics.provider, 'console');
    assert.equal(broken.problems.length, 1);
    assert.equal(broken.problems[0]?.file, 'otel.yaml');
    assert.ok((broken.problems[0]?.line ?? 0) >= 2);
    const missing = resolveConfig({ env: { OTEL_CONFIG_FILE: '/nowhere/otel.yaml' } });
    assert.match(describeProblems(missing.problems) ?? '', /nowhere\/otel\.yaml.*ENOENT/);
  });

  it('shows no secret in a problem', () => {
    const { problems } = resolve(block('    metrics: { influxdb: { token: [hush-hush] } }\n'), {
      code: { userIdHashKey: { key: 'hush-hush' } as unknown as string },
    });
    assert.equal(problems.length, 2);
    assert.doesNotMatch(JSON.stringify(problems), /hush/);
  });

  it('shows no password of an address in a problem, however wrong the address is', () => {
    for (const text of [
      'redis+ring://me:hush-hush@r.example',
      'redis://me:hush@hush/5@r.example/one/two',
      'me:hush-hush@r.example',
      'r.example:6379?password=hush-hush',
    ]) {
      const { problems } = resolve(undefined, { env: { REDIS_URL: text, INFLUX_URL: text } });
      assert.equal(problems.length, 2, text);
      assert.doesNotMatch(describeProblems(problems) ?? '', /hush/);
      assert.match(describeProblems(problems) ?? '', /r\.example/);
    }
  });

  it('takes every address of Redis that its store takes', () => {
    for (const url of [
      'rediss://me:hush@r.example/2',
      'redis+cluster://a.example:7000,b.example:7000',
      'redis+sentinel://a.example,b.example:26380/main/1',
    ]) {
      const { values, problems } = resolve(undefined, { env: { REDIS_URL: url } });
      assert.deepEqual([values.settings.redis.url, problems], [url, []]);
      assert.doesNotThrow(() => configuredSettingsStore(values.settings));
    }
  });

  it('takes what variables of others imply, unless ours says otherwise', () => {
    const env = {
      INFLUX_URL: 'http://db.example:8086',
      REDIS_URL: 'redis://r.example:6379',
      OTEL_SEMCONV_STABILITY_OPT_IN: 'http, gen_ai_latest_experimental',
    };
    const { values } = resolve(undefined, { env });
    assert.equal(values.metrics.provider, 'influxdb');
    assert.equal(values.settings.store, 'redis');
    assert.equal(values.metricNames, 'latest');
    const ours = { ...env, TOKEN_METER_PROVIDER: 'sqlite', TOKEN_METER_METRIC_NAMES: 'both' };
    const told = resolve(undefined, { env: ours });
    assert.equal(told.values.metrics.provider, 'sqlite');
    assert.equal(told.values.metricNames, 'both');
  });

  it('reads blocks that are empty, absent, or beside blocks of others', () => {
    for (const yaml of ['', 'file_format: "1.1"', 'distribution:\n', block(''), 'a: [1, 2]']) {
      assert.deepEqual(resolve(yaml).problems, [], yaml);
    }
    const other =
      'instrumentation/development: { js: { http: { x: 1 }, token_meter: { counting: always } } }';
    assert.equal(resolve(other).values.counting, 'always');
  });

  it('reads a block under the name of the instrumentation scope, and only one of two', () => {
    const js = (body: string): string => `instrumentation/development: { js: { ${body} } }`;
    const ours = resolve(js('otel-token-meter: { counting: always, enabled: false }'));
    assert.deepEqual([ours.values.counting, ours.values.enabled], ['always', false]);
    assert.deepEqual(ours.problems, []);
    const yaml = 'distribution: { otel-token-meter: { metrics: { provider: sqlite } } }';
    assert.equal(resolve(yaml).values.metrics.provider, 'sqlite');

    const both = resolve(
      js('otel-token-meter: { counting: always }, token_meter: { counting: never }'),
    );
    assert.equal(both.values.counting, 'always');
    assert.match(
      describeProblems(both.problems) ?? '',
      /otel\.yaml:1: instrumentation\/development\.js\.token_meter; allowed: one block; otel-token-meter is there already$/,
    );
    const empty = resolve(js('otel-token-meter: , token_meter: { counting: never }'));
    assert.deepEqual([empty.values.counting, empty.problems], ['never', []]);
  });

  it('reports a block whose name is nearly ours', () => {
    for (const name of ['token-meter', 'tokenMeter', 'otel_token_meter', '"Token Meter"']) {
      const { problems } = resolve(`instrumentation/development: { js: { ${name}: { a: 1 } } }`);
      assert.match(describeProblems(problems) ?? '', /no such key \(did you mean token_meter\?\)/);
    }
  });

  it('prefers the block that an SDK hands over to that of the file, and code to both', () => {
    const yaml =
      'instrumentation/development: { js: { token_meter: { counting: always, chunk_times: each } } }';
    const declared = { counting: 'never', capture_content: true, metric_attributes: ['a'] };
    const { values, problems } = resolve(yaml, { declared, code: { metricAttributes: ['b'] } });
    assert.deepEqual(problems, []);
    assert.partialDeepStrictEqual(values, {
      counting: 'never',
      chunkTimes: 'each',
      captureContent: true,
      metricAttributes: ['b'],
    });
    // The SDK has substituted variables already.
    const dollars = resolve(undefined, { declared: { prices_file: '${x}' } });
    assert.equal(dollars.values.pricesFile, '${x}');
  });

  it('has the defaults that the exporter has', () => {
    const { influxdb } = resolve(undefined).values.metrics;
    const { url, bucket } = influxdb;
    assert.deepEqual(
      resolveInfluxOptions('test', influxOptions(influxdb)),
      resolveInfluxOptions('test', { url, bucket }),
    );
  });

  it('gives the exporter its options', () => {
    const { values } = resolve(undefined, {
      env: { TOKEN_METER_SPOOL: 'false', TOKEN_METER_TAGS: 'region=eu, az=1' },
    });
    const options = influxOptions(values.metrics.influxdb);
    assert.equal(options.spool, false);
    assert.deepEqual(options.tags, { region: 'eu', az: '1' });
    const spool = influxOptions(
      resolve(undefined, { env: { TOKEN_METER_SPOOL_FSYNC: 'always' } }).values.metrics.influxdb,
    );
    assert.partialDeepStrictEqual(spool.spool, { fsync: 'always', whenFull: 'drop-oldest' });
  });
});

describe('names of dimensions in the configuration', () => {
  const of = (value: string): ReturnType<typeof resolveConfig> =>
    resolveConfig({ env: { TOKEN_METER_DIMENSIONS: value } });

  it('are each listed once, and the team goes without saying', () => {
    const { values, problems } = of('feature, team,feature,cost_centre');
    assert.deepEqual(values.dimensions, ['feature', 'cost_centre']);
    assert.deepEqual(problems, []);
    assert.deepEqual(resolveConfig({ env: {} }).values.dimensions, []);
  });

  it('are refused as a whole when one is unfit or there are more than 7', () => {
    for (const value of ['Feature', 'a-b', 'constructor', 'a,b,c,d,e,f,g,h']) {
      const { values, problems } = of(value);
      assert.deepEqual(values.dimensions, []);
      assert.partialDeepStrictEqual(problems, [{ key: 'TOKEN_METER_DIMENSIONS', value }]);
      assert.match(problems[0]?.allowed ?? '', /up to 7 names beside team/);
    }
    assert.equal(of('a,b,c,d,e,f,g,team').values.dimensions.length, 7);
  });
});
