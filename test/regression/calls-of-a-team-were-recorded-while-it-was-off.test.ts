import assert from 'node:assert/strict';
import { OpenAI } from 'openai';
import {
  flush,
  meterChat,
  recordUsage,
  TokenMeterInstrumentation,
  withUsageContext,
  type UsageRecord,
} from '../../src/index.ts';
import { OtlpIngest } from '../../src/ingest/index.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const WIRE = {
  model: 'gpt-4o',
  usage: { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 },
  streamUsage: {},
};
const REQUEST = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'High tide?' }] };
const USED = { model: 'gpt-4o', inputTokens: 1, outputTokens: 1 };

/** Switches were asked for the team as it was given, while records hold another text, or none. */
describe('switches of a team', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let client: OpenAI;
  let instrumentation: TokenMeterInstrumentation;
  const records: UsageRecord[] = [];

  before(async () => {
    server = await startWireServer();
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({
      dimensions: ['feature'],
      onUsage: (record) => records.push(record),
    });
    instrumentation.instrument('openai', OpenAI);
    client = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
  });
  beforeEach(async () => {
    await flush();
    records.length = 0;
    telemetry.reset();
    instrumentation.applySettings({ enabled: true, teams: {} });
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await server.close();
  });

  const call = async (): Promise<unknown> => {
    server.play(chatPlain(WIRE));
    return await client.chat.completions.create(REQUEST);
  };
  /** Of all that the function had recorded: team and user. */
  async function recorded(fn: () => unknown): Promise<readonly unknown[]> {
    await fn();
    await flush();
    return records.splice(0).map(({ team, userId }) => [team, userId].join());
  }
  const off = (team: string): void =>
    instrumentation.applySettings({ teams: { [team]: { enabled: false } } });

  const GIVEN: readonly (readonly [string, unknown])[] = [
    ['a number', 42],
    ['a bigint', 42n],
    ['an id of a database', { toHexString: () => 'a0b1' }],
    ['longer than records have it', 'a'.repeat(300)],
    ['cut before a pair of surrogates', `${'a'.repeat(255)}😀`],
    ['a text with half a pair', 'x\ud800'],
  ];
  for (const [what, given] of GIVEN) {
    it(`hold for one that is ${what}, as records name it`, async () => {
      const team = given as string;
      const ask = meterChat(async (_request: object) => ({ response: 'x' }));
      const ways: readonly (() => unknown)[] = [
        () => withUsageContext({ team }, call),
        () => withUsageContext({ team }, () => recordUsage(USED)),
        () => recordUsage({ ...USED, team }),
        () => ask({ ...REQUEST, team }),
        () => withUsageContext({ team }, () => ask(REQUEST)),
      ];
      const made: string[] = [];
      for (const way of ways) {
        await way();
        await flush();
        made.push(...records.splice(0).map((record) => record.team ?? 'none'));
      }
      const [name = ''] = made;
      assert.deepEqual(
        made,
        Array.from(ways, () => name),
      );
      for (const given of [name, String(typeof team === 'object' ? name : team)]) {
        off(given);
        assert.equal(instrumentation.settingsFor({ team }).enabled, false);
        for (const way of ways) assert.deepEqual(await recorded(way), []);
      }
      off('another');
      for (const way of ways) assert.equal((await recorded(way)).length, 1);
    });
  }

  it('hold for calls that another program reports, by the name of their record', async () => {
    const teams: unknown[] = [];
    const asked: unknown[] = [];
    const ingest = new OtlpIngest({
      ledger: { onEmit: ({ attributes }) => void teams.push(attributes?.['token_meter.team']) },
      switches: ({ team }) => {
        asked.push(team);
        return { enabled: true, tokenStatistics: true };
      },
    });
    const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
    const body = {
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: '1'.repeat(32),
                  spanId: '2'.repeat(16),
                  name: 'chat gpt-4o',
                  startTimeUnixNano: '1700000000000000000',
                  endTimeUnixNano: '1700000001000000000',
                  attributes: [
                    attribute('gen_ai.operation.name', 'chat'),
                    attribute('gen_ai.provider.name', 'openai'),
                    attribute('gen_ai.request.model', 'gpt-4o'),
                    attribute('team', 'a'.repeat(300)),
                  ],
                },
              ],
            },
          ],
        },
      ],
    };
    await ingest.take('traces', Buffer.from(JSON.stringify(body)), 'application/json');
    assert.deepEqual(asked, ['a'.repeat(256)]);
    assert.deepEqual(teams, asked);
  });

  it('hold also where an empty team is given inside: it adds nothing', async () => {
    off('sea');
    const inside = (usage: object) => (): unknown =>
      withUsageContext({ team: 'sea', userId: 'ann' }, () => withUsageContext(usage, call));
    for (const team of ['', null, undefined]) {
      assert.deepEqual(await recorded(inside({ team })), []);
      const used = { ...USED, team: team as string | undefined };
      const record = (): unknown => withUsageContext({ team: 'sea' }, () => recordUsage(used));
      assert.deepEqual(await recorded(record), []);
    }
    instrumentation.applySettings({ teams: {} });
    const outer = {
      userId: 'ann',
      conversationId: 'c-1',
      team: 'sea',
      dimensions: { feature: 'search' },
    };
    const empty = { userId: '', conversationId: '', team: '', dimensions: { feature: '' } };
    await withUsageContext(outer, () => withUsageContext(empty, call));
    await flush();
    assert.partialDeepStrictEqual(records.splice(0), [outer]);
  });

  it('hold inside of meterChat, and what is on inside has its user and team', async () => {
    const ask = meterChat(async (_request: object) => await call());
    off('sea');
    assert.deepEqual(await recorded(() => ask({ ...REQUEST, team: 'sea', user_id: 'ann' })), []);
    assert.deepEqual(telemetry.spans(), []);
    instrumentation.applySettings({ enabled: false, teams: { land: { enabled: true } } });
    const inner = meterChat(async (_request: object) => {
      return await withUsageContext({ team: 'land' }, call);
    });
    assert.deepEqual(await recorded(() => inner({ ...REQUEST, team: 'sea', user_id: 'ann' })), [
      'land,ann',
    ]);
  });

  it('hold where meterChat is around a generator, which calls as it is read', async () => {
    const ask = meterChat(async function* (_request: object) {
      await call();
      yield 'Twice';
    });
    off('sea');
    const read = async (): Promise<void> => {
      for await (const part of ask({ ...REQUEST, team: 'sea' })) assert.equal(part, 'Twice');
    };
    assert.deepEqual(await recorded(read), []);
    instrumentation.applySettings({ enabled: false, teams: { sea: { enabled: true } } });
    assert.deepEqual(await recorded(read), ['sea,']);
  });
});
