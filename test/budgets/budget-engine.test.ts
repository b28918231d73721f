import assert from 'node:assert/strict';
import { BudgetAccounts } from '../../src/budgets/budget-accounts.ts';
import { BudgetEngine } from '../../src/budgets/budget-engine.ts';
import type { SetAside } from '../../src/budgets/set-aside.ts';
import { BudgetExceededError } from '../../src/budgets/budget-exceeded-error.ts';
import type { Budget } from '../../src/budgets/budget.ts';
import type { BudgetShare } from '../../src/budgets/budget-status.ts';
import type { BudgetedCall, BudgetRefusal, CallSize } from '../../src/domain/call-budgets.ts';
import { countTokens } from '../../src/tokens/index.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';

const CALL: BudgetedCall = { userId: 'alice', team: 'search', provider: 'openai', model: 'gpt-5' };
const REQUEST = { max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };
const SIZE: CallSize = { operation: 'chat', request: REQUEST, inputOnly: false };

function startEngine(...budgets: readonly Budget[]) {
  const shares: BudgetShare[] = [];
  const engine = new BudgetEngine({
    store: undefined,
    priceOf: ({ model }, { input, output }) =>
      model === 'unpriced' ? undefined : input * 1000 + output * 10_000,
    onShare: (share) => shares.push(share),
  });
  engine.apply(budgets);
  return {
    engine,
    shares,
    reserve: (call: Partial<BudgetedCall> = {}, size: Partial<CallSize> = {}) =>
      engine.reserve({ ...CALL, ...call }, { ...SIZE, ...size }, true, []),
    charge: (record: Partial<UsageRecord> = {}) => engine.charge(recordOf(record)),
    spent: async (call: Partial<BudgetedCall> = {}) =>
      (await engine.status({ ...CALL, ...call })).map(({ spent }) => spent),
  };
}

function recordOf(record: Partial<UsageRecord>): UsageRecord {
  return {
    id: 'r',
    time: '2026-11-29T00:00:00Z',
    service: 's',
    operation: 'chat',
    provider: 'openai',
    requestModel: 'gpt-5',
    durationMs: 1,
    outcome: 'ok',
    attributes: {},
    userId: 'alice',
    team: 'search',
    ...record,
  };
}

const isRefused = (answer: SetAside | BudgetRefusal | undefined): answer is BudgetRefusal =>
  answer !== undefined && 'budgetId' in answer;

function admitted(answer: SetAside | BudgetRefusal | undefined): SetAside {
  assert.ok(answer !== undefined && !('budgetId' in answer), JSON.stringify(answer));
  return answer;
}

const calls = (limit: number, more: Partial<Budget> = {}): Budget => ({
  id: 'calls',
  window: 'day',
  limit: { calls: limit },
  mode: 'block',
  ...more,
});

describe('budgets of one process', () => {
  it('admit exactly as many calls as there are, however many begin at once', () => {
    const { reserve } = startEngine(calls(1000));
    let refused = 0;
    for (let index = 0; index < 10_000; index++) refused += Number(isRefused(reserve()));
    assert.equal(refused, 9000);
  });

  it('never overspend tokens when every call uses the most it can', async () => {
    const { engine, reserve, charge } = startEngine({
      id: 'tokens',
      window: 'day',
      limit: { tokens: 50_000 },
      mode: 'block',
    });
    for (let wave = 0; wave < 100; wave++) {
      const held = Array.from({ length: 100 }, () => reserve());
      for (const answer of held) {
        if (isRefused(answer)) continue;
        admitted(answer).release();
        charge({ inputTokens: 10, outputTokens: 100, totalTokens: 110 });
      }
    }
    const [status] = await engine.status(CALL);
    assert.ok(status!.spent <= 50_000 && status!.spent > 49_000, String(status!.spent));
    assert.equal(status!.reserved, 0);
  });

  it('refuse with all that there is to say', async () => {
    const { reserve, charge } = startEngine({
      id: 'each',
      scope: { each: ['user', 'dimension.feature'] },
      window: { calendar: 'day', timeZone: 'Asia/Kolkata' },
      limit: { usd: 0.001 },
      mode: 'block',
      reserve: 'none',
    });
    charge({ costUsd: 0.001 });
    const refusal = reserve();
    assert.ok(isRefused(refusal));
    const { resetsAt, ...rest } = refusal;
    assert.deepEqual(rest, {
      budgetId: 'each',
      budgetKey: { user: 'alice', 'dimension.feature': null },
      unit: 'usd',
      limit: 0.001,
      spent: 0.001,
      reserved: 0,
    });
    assert.match(resetsAt, /T18:30:00\.000Z$/);
    assert.ok(!isRefused(reserve({ userId: 'bob' })));
  });

  it('keep accounts by user, team, model, provider, conversation and dimension, and calls without one together', async () => {
    const { charge, spent } = startEngine(
      calls(9, { id: 'a', scope: { each: ['user'] } }),
      calls(9, { id: 'b', scope: { each: ['team'], user: ['alice', null] } }),
      calls(9, { id: 'c', scope: { model: 'gpt-5*', provider: 'openai' } }),
      calls(9, { id: 'd', scope: { conversation: 'c1' } }),
      calls(9, { id: 'e', scope: { dimensions: { feature: 'chat' } } }),
    );
    charge({ conversationId: 'c1', dimensions: { feature: 'chat' }, requestModel: 'gpt-5-mini' });
    charge({ userId: 'bob' });
    const { userId: _, ...nobody } = recordOf({});
    charge({ ...nobody, userId: undefined as never });
    const all = { conversationId: 'c1', dimensions: { feature: 'chat' } };
    assert.deepEqual(await spent(all), [1, 2, 3, 1, 1]);
    assert.deepEqual(await spent({ userId: 'bob' }), [1, 3]);
    assert.deepEqual(await spent({ userId: undefined }), [1, 2, 3]);
    assert.deepEqual(await spent({ model: 'o3' }), [1, 2]);
  });

  it('match a model by its stars, and never as a pattern', () => {
    const { reserve } = startEngine(calls(1, { scope: { model: ['gpt-5*', 'a.b', '*mini'] } }));
    const concerns = (model: string): boolean => {
      const answer = reserve({ model });
      if (answer !== undefined && !isRefused(answer)) answer.release();
      return answer !== undefined;
    };
    assert.deepEqual(
      ['gpt-5', 'gpt-5-pro', 'gpt-4', 'a.b', 'axb', 'o4-mini', 'mini-o4', '(['].map(concerns),
      [true, true, false, true, false, true, false, false],
    );
  });

  it('hold in two windows at once: the smaller one refuses first', () => {
    const { reserve, charge } = startEngine(calls(5, { id: 'month', window: 'month' }), calls(2));
    for (let index = 0; index < 2; index++) {
      admitted(reserve()).release();
      charge();
    }
    const refusal = reserve();
    assert.equal(isRefused(refusal) && refusal.budgetId, 'calls');
  });

  it('set nothing aside in the others when one refuses', async () => {
    const { engine, reserve } = startEngine(calls(5, { id: 'month', window: 'month' }), calls(1));
    admitted(reserve());
    assert.ok(isRefused(reserve()));
    assert.deepEqual(
      (await engine.status(CALL)).map(({ reserved }) => reserved),
      [1, 1],
    );
  });

  it('refuse at once when they are lowered below what is spent, and go on when raised', async () => {
    const { engine, reserve, charge, spent } = startEngine(calls(10));
    for (let index = 0; index < 5; index++) charge();
    engine.apply([calls(3)]);
    assert.ok(isRefused(reserve()));
    assert.deepEqual(await spent(), [5]);
    engine.apply([calls(6)]);
    admitted(reserve());
    assert.ok(isRefused(reserve()));
    engine.apply([calls(6, { window: 'week' })]);
    assert.deepEqual(await spent(), [0]);
  });

  it('stay as they are when one of the new ones is wrong', async () => {
    const { engine, reserve } = startEngine(calls(1));
    assert.throws(() => engine.apply([calls(9), { ...calls(0), id: 'x' }]), {
      code: 'INVALID_OPTION',
    });
    admitted(reserve());
    assert.ok(isRefused(reserve()));
  });

  it('only warn in mode warn, and report each share once', () => {
    const { reserve, charge, shares } = startEngine(calls(4, { mode: 'warn' }));
    for (let index = 0; index < 8; index++) {
      assert.ok(!isRefused(reserve()));
      charge();
    }
    assert.deepEqual(
      shares.map(({ share, spent }) => [share, spent]),
      [
        [0.5, 2],
        [0.8, 4],
        [1, 4],
      ],
    );
  });

  it('count a call without a price as nothing, and do not refuse it', async () => {
    const { reserve, charge, spent } = startEngine({
      id: 'usd',
      window: 'day',
      limit: { usd: 1 },
      mode: 'block',
    });
    admitted(reserve({ model: 'unpriced' }));
    charge({ requestModel: 'unpriced', inputTokens: 10, outputTokens: 10 });
    assert.deepEqual(await spent(), [0]);
  });

  it('hold for calls alone while no tokens are read', () => {
    const { engine } = startEngine(calls(1), {
      id: 't',
      window: 'day',
      limit: { tokens: 1 },
      mode: 'block',
    });
    assert.ok(!isRefused(engine.reserve(CALL, SIZE, false, [])));
    assert.ok(isRefused(engine.reserve(CALL, SIZE, false, [])));
  });

  it('do not charge what they refused', async () => {
    const { charge, spent } = startEngine(calls(1));
    charge({ outcome: 'blocked' });
    assert.deepEqual(await spent(), [0]);
  });

  it('never refuse a call for what a layer around it was admitted for', () => {
    const { engine, reserve } = startEngine(calls(1));
    const outer = admitted(reserve());
    outer.release();
    admitted(reserve());
    assert.ok(!isRefused(engine.reserve(CALL, SIZE, true, outer.held)));
  });

  it('refuse a call inside a layer for what it needs beyond what the layer had set aside', () => {
    const { engine, reserve } = startEngine({
      id: 'tokens',
      window: 'day',
      limit: { tokens: 5000 },
      mode: 'block',
    });
    const long = { ...REQUEST, messages: [{ role: 'user', content: 'tide '.repeat(10_000) }] };
    const outer = admitted(reserve());
    outer.release();
    assert.ok(isRefused(engine.reserve(CALL, { ...SIZE, request: long }, true, outer.held)));
    admitted(engine.reserve(CALL, SIZE, true, outer.held));
  });

  it('say that running calls have reserved the room, and that it may be free in a second', () => {
    const { reserve, charge } = startEngine(calls(3));
    charge();
    const running = admitted(reserve());
    admitted(reserve());
    const refusal = reserve();
    assert.ok(isRefused(refusal));
    assert.equal(refusal.isReserved, true);
    const inMs = Date.parse(refusal.resetsAt) - Date.now();
    assert.ok(inMs > 0 && inMs <= 1000, String(inMs));
    assert.equal(
      new BudgetExceededError(refusal).message,
      'budget calls has no room now: 1 calls of 3 calls spent, 2 calls reserved by running calls',
    );
    running.release();
    charge();
    charge();
    const spent = reserve();
    assert.ok(isRefused(spent) && spent.isReserved === undefined);
    assert.ok(Date.parse(spent.resetsAt) - Date.now() > 1000 || new Date().getUTCHours() === 23);
  });

  it('make no account for somebody who only asks', () => {
    const accounts = new BudgetAccounts(calls(2, { scope: { each: ['user'] } }), false);
    accounts.accountToShow(CALL, Date.now());
    assert.equal([...accounts.all()].length, 0);
    const account = accounts.accountFor(CALL, Date.now());
    assert.equal(accounts.accountToShow(CALL, Date.now()), account);
  });

  it('keep the accounts that spent most when very many others come', () => {
    const { engine, reserve, charge } = startEngine(calls(2, { scope: { each: ['user'] } }));
    charge();
    charge();
    for (let index = 0; index < 60_000; index++) charge({ userId: `guest${index}` });
    assert.ok(isRefused(reserve()));
    for (let index = 0; index < 60_000; index++)
      void engine.status({ ...CALL, userId: `x${index}` });
    assert.ok(isRefused(reserve()));
  });
});

describe('what is set aside', () => {
  const reservedFor = async (
    reserve: NonNullable<Budget['reserve']>,
    request: object,
    replies: readonly number[] = [],
  ): Promise<number> => {
    const {
      engine,
      reserve: set,
      charge,
    } = startEngine({
      id: 't',
      window: 'day',
      limit: { tokens: 1e9 },
      mode: 'block',
      reserve,
    });
    for (const outputTokens of replies) charge({ outputTokens, inputTokens: 1 });
    admitted(set({}, { request }));
    return (await engine.status(CALL))[0]!.reserved;
  };
  const messages = [{ role: 'user', content: 'How often does the tide come in? '.repeat(30) }];

  it('is the most a call can use: its length and max_tokens, for each choice', async () => {
    const { length } = messages[0]!.content;
    const one = await reservedFor('max', { messages, max_tokens: 500 });
    assert.ok(one >= length + 500 && one < length + 550, String(one));
    const two = await reservedFor('max', { messages, max_completion_tokens: 500, n: 2 });
    assert.equal(two - one, 500);
    const free = await reservedFor('max', { messages }, [200]);
    assert.equal(Math.round(await reservedFor('max', { messages, n: 10 }, [200])) - free, 9 * 200);
    assert.equal(
      (await reservedFor('max', { messages, config: { maxOutputTokens: 500 } })) > one,
      true,
    );
  });

  it('is enough for text of which tokenizers make more tokens than it has characters', async () => {
    for (const text of ['👩‍👩‍👧‍👦🏴‍☠️🦩🪼🫠', '今天的天气非常好', 'དེ་རིང་གནམ་གཤིས་ཡག་པོ་འདུག']) {
      const content = text.repeat(20);
      const most = await reservedFor('max', {
        messages: [{ role: 'user', content }],
        max_tokens: 1,
      });
      assert.ok(most >= countTokens(content, 'gpt-4'), text);
    }
  });

  it('is the longest recent reply where the request has no limit', async () => {
    const first = await reservedFor('max', { messages });
    const then = await reservedFor('max', { messages }, [40, 200, 40]);
    assert.equal(first - then, 1000 - 198);
  });

  it('is what a call will probably use, never above its limit', async () => {
    const usual = await reservedFor('counted', { messages, max_tokens: 500 }, [100, 100]);
    assert.ok(usual > 200 && usual < 400, String(usual));
    const limited = await reservedFor('counted', { messages, max_tokens: 50 }, [100, 100]);
    assert.equal(usual - limited, 50);
  });

  it('is nothing where that is asked for', async () => {
    assert.equal(await reservedFor('none', { messages, max_tokens: 500 }), 0);
  });

  it('takes an image for an image, and not for its text', async () => {
    const url = `data:image/png;base64,${'A'.repeat(1_000_000)}`;
    const content = [{ type: 'image_url', image_url: { url } }];
    assert.ok((await reservedFor('max', { messages: [{ content }], max_tokens: 1 })) < 3000);
  });
});

describe('a rolling window', () => {
  it('forgets bucket by bucket, and never lets more through than the limit in any such time', async () => {
    const clock = { ms: Date.UTC(2026, 0, 1) };
    const now = Date.now;
    Date.now = () => clock.ms;
    try {
      const { reserve, charge, spent } = startEngine(calls(4, { window: { rolling: '24h' } }));
      const sent: number[] = [];
      for (let step = 0; step < 400; step++) {
        const answer = reserve();
        if (answer !== undefined && !isRefused(answer)) {
          answer.release();
          charge();
          sent.push(clock.ms);
        }
        clock.ms += 17 * 60_000;
      }
      for (const [index, ms] of sent.entries()) {
        const within = sent.slice(index).filter((other) => other < ms + 86_400_000);
        assert.ok(within.length <= 4);
      }
      assert.ok(sent.length >= 16, String(sent.length));
      clock.ms += 2 * 86_400_000;
      assert.deepEqual(await spent(), [0]);
    } finally {
      Date.now = now;
    }
  });
});

describe('the turn of a window', () => {
  it('begins at zero, at the instant itself, with what is set aside', async () => {
    const clock = { ms: Date.parse('2026-03-28T22:59:59.999Z') };
    const now = Date.now;
    Date.now = () => clock.ms;
    try {
      const budget = calls(2, { window: { calendar: 'day', timeZone: 'Europe/Berlin' } });
      const { engine, reserve, charge } = startEngine(budget);
      charge();
      const running = admitted(reserve());
      assert.ok(isRefused(reserve()));
      clock.ms += 1;
      const [status] = await engine.status(CALL);
      assert.deepEqual([status!.spent, status!.reserved], [0, 1]);
      assert.equal(status!.resetsAt, '2026-03-29T22:00:00.000Z');
      admitted(reserve());
      assert.ok(isRefused(reserve()));
      running.release();
      charge();
      assert.equal((await engine.status(CALL))[0]!.spent, 1);
    } finally {
      Date.now = now;
    }
  });
});

describe('budgets with odd definitions and calls', () => {
  it('take a member that is undefined for one that is not given', () => {
    const { reserve, charge, shares } = startEngine({
      id: 'b',
      window: 'day',
      limit: { calls: 1 },
      mode: undefined,
      at: undefined,
      scope: undefined,
    } as never);
    charge();
    assert.ok(!('budgetId' in (reserve() ?? {})));
    assert.equal(shares.length, 3);
  });

  it('survive a call within another one that asks for any number of tokens', async () => {
    const { engine, reserve } = startEngine({
      id: 'b',
      window: 'day',
      limit: { tokens: 1000 },
      mode: 'block',
    });
    const outer = reserve() as SetAside;
    outer.release();
    const request = { ...REQUEST, max_tokens: Infinity };
    assert.ok(isRefused(engine.reserve(CALL, { ...SIZE, request }, true, outer.held)));
    const [status] = await engine.status(CALL);
    assert.equal(status?.reserved, 0);
    admitted(reserve());
  });

  it('set aside the length of a text without spaces', () => {
    const { reserve } = startEngine({
      id: 'b',
      window: 'day',
      limit: { tokens: 5000 },
      mode: 'block',
    });
    const content = '今天天气很好我们去海边看潮水'.repeat(3000);
    const request = { max_tokens: 5, messages: [{ role: 'user', content }] };
    assert.ok('budgetId' in (reserve({}, { request }) as BudgetRefusal));
  });

  it('match wildcards in long names of models without delay', async () => {
    const scope = { model: ['*-*-*-*-x', '*gpt*mini*', 'gpt-*-mini'] };
    const { spent } = startEngine({ id: 'b', window: 'day', limit: { calls: 1 }, scope });
    const startMs = performance.now();
    assert.deepEqual(await spent({ model: '-'.repeat(400) }), []);
    assert.deepEqual(await spent({ model: 'gpt'.repeat(30_000) }), []);
    assert.ok(performance.now() - startMs < 500);
    for (const model of ['a-b--c-x', 'my-gpt-4-mini-1', 'gpt-4o-mini', 'gpt--mini']) {
      assert.equal((await spent({ model })).length, 1, model);
    }
    for (const model of ['gpt-min', 'a-b-c-x', 'gptmin']) {
      assert.equal((await spent({ model })).length, 0, model);
    }
  });
});
