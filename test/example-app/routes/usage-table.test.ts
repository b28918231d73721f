import assert from 'node:assert/strict';
import { usageTable } from '../../../example-app/routes/usage-schemas.ts';
import { asAdmin, asViewer } from '../../support/app.ts';
import { type UsageApp, serveUsage } from '../../support/usage-app.ts';
import { usageRecord } from '../../support/usage-logs.ts';

const USERS = 1200;

describe('/api/usage/table', () => {
  let usage: UsageApp;

  before(async () => {
    usage = await serveUsage();
    const now = Date.now();
    await usage.record(
      Array.from({ length: USERS }, (_, index) =>
        usageRecord(now - 60_000, {
          userId: `user-${String(index).padStart(4, '0')}`,
          totalTokens: index + 1,
          inputTokens: index + 1,
          outputTokens: 0,
          // Of every other user the cost is not known.
          ...(index % 2 === 0 && { costUsd: index / 1000 }),
        }),
      ),
    );
    await usage.record([
      usageRecord(now - 60_000, { totalTokens: 5 }),
      usageRecord(now - 60_000, { userId: '=HYPERLINK("x")', totalTokens: 2 }),
    ]);
  });

  after(async () => {
    await usage.close();
  });

  const ask = async (query: string): Promise<Response> =>
    await fetch(`${usage.app.origin}/api/usage/${query}`, { headers: asViewer });

  async function table(query: string): Promise<ReturnType<typeof usageTable.parse>> {
    const answer = await ask(`table?group_by=user&${query}`);
    assert.equal(answer.status, 200, await answer.clone().text());
    const body: unknown = await answer.json();
    const parsed = usageTable.parse(body);
    assert.deepEqual(parsed, body, 'no member is missing in the schema');
    return parsed;
  }

  it('has every user on one of its pages, the largest first, each once', async () => {
    const seen: (string | null | undefined)[] = [];
    for (let offset = 0; ; offset += 500) {
      const { rows, count, total } = await table(`limit=500&offset=${offset}`);
      assert.equal(count, USERS + 2);
      assert.equal(total.calls, USERS + 2);
      seen.push(...rows.map(({ user }) => user));
      if (rows.length < 500) break;
    }
    assert.equal(new Set(seen).size, USERS + 2);
    assert.deepEqual(seen.slice(0, 2), ['user-1199', 'user-1198']);
  });

  it('sorts by any column, unknown values last in either order', async () => {
    const names = async (query: string): Promise<unknown> =>
      (await table(`limit=2&${query}`)).rows.map(({ user }) => user);
    assert.deepEqual(await names('sort=name&order=asc'), [null, '=HYPERLINK("x")']);
    assert.deepEqual(await names('sort=cost_usd&order=asc'), ['user-0000', 'user-0002']);
    assert.deepEqual(await names('sort=cost_usd&order=desc'), ['user-1198', 'user-1196']);
  });

  it('has rows that are equal in the order of their names, on the first page as on all', async () => {
    for (const order of ['asc', 'desc']) {
      const query = `sort=calls&order=${order}&limit=20&from=${encodeURIComponent(new Date(Date.now() - 7_200_000).toISOString())}`;
      const quick = await table(`${query}&quick=true`);
      assert.equal(quick.count, undefined);
      const whole = await table(query);
      const names = ({ rows }: typeof whole): unknown => rows.map(({ user }) => user);
      assert.deepEqual(names(quick), names(whole), order);
      assert.equal(whole.rows[1]?.user, 'user-0000');
    }
  });

  it('finds names by a part of them, in any case', async () => {
    const { rows, count } = await table('search=USER-119');
    assert.equal(count, 10);
    assert.ok(rows.every(({ user }) => user?.startsWith('user-119')));
    assert.equal((await table('search=nobody')).count, 0);
  });

  it('adds the period before, and takes the filters of a summary', async () => {
    const { rows } = await table('compare=previous&user=user-0007');
    assert.deepEqual(
      rows.map(({ user, total_tokens: tokens, previous }) => [user, tokens, previous]),
      [['user-0007', 8, undefined]],
    );
  });

  it('asks the ledger once for all pages, and anew for another range', async () => {
    const before = await table('search=fresh');
    await usage.record([usageRecord(Date.now(), { userId: 'fresh', totalTokens: 1 })]);
    assert.equal((await table('search=fresh')).count, before.count, 'kept for the visit');
    assert.equal((await table('search=fresh&from=2h')).count, 1);
  });

  it('has its first page before all rows are read, without their count', async () => {
    const first = await table('quick=true&from=3h&limit=2&compare=previous');
    assert.equal(first.count, undefined);
    const whole = await table('from=3h&limit=2&compare=previous');
    assert.equal(whole.count, USERS + 3);
    assert.deepEqual(
      first.rows.map(({ user, total_tokens: tokens }) => [user, tokens]),
      whole.rows.map(({ user, total_tokens: tokens }) => [user, tokens]),
    );
    assert.deepEqual(await table('quick=true&from=3h&limit=2&compare=previous'), whole);
    // What the ledger cannot rank waits for all rows.
    assert.equal((await table('quick=true&from=4h&search=user-1199')).count, 1);
    assert.equal((await table('quick=true&from=5h&sort=name&order=asc')).count, USERS + 3);
  });

  it('is a file too, in which no name is a formula', async () => {
    const answer = await ask('table.csv?group_by=user&search=h&sort=name&order=asc');
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-disposition') ?? '', /usage-by-user-.*\.csv/);
    const lines = (await answer.text()).trim().split('\r\n');
    assert.match(lines[0] ?? '', /^\uFEFF?user,calls,errors/);
    assert.doesNotMatch(lines[1] ?? '', /^"?=/);
  });

  it('refuses what it does not know', async () => {
    for (const query of ['', 'group_by=hour', 'group_by=user&sort=x', 'group_by=user&offset=-1']) {
      assert.equal((await ask(`table?${query}`)).status, 422, query);
    }
  });

  it('has nobody of whom all calls were erased a moment ago', async () => {
    const span = 'group_by=user&search=user-0007';
    const before = await ask(`table?${span}`);
    assert.match(await before.text(), /user-0007/);
    const erased = await fetch(`${usage.app.origin}/api/usage/users?user=user-0007`, {
      method: 'DELETE',
      headers: asAdmin,
    });
    assert.equal(erased.status, 200);
    for (const route of ['table', 'table.csv']) {
      const after = await ask(`${route}?${span}`);
      assert.doesNotMatch(await after.text(), /user-0007/);
    }
  });
});
