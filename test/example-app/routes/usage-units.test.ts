import assert from 'node:assert/strict';
import { unitNames } from '../../../example-app/routes/usage-numbers.ts';
import {
  usageConversation,
  usagePage,
  usageSummary,
  usageTable,
} from '../../../example-app/routes/usage-schemas.ts';
import { unitName, USAGE_UNITS } from '../../../src/domain/billed-usage.ts';
import { asViewer } from '../../support/app.ts';
import { type UsageApp, serveUsage } from '../../support/usage-app.ts';
import { usageRecord } from '../../support/usage-logs.ts';

describe('units beside tokens in /api/usage', () => {
  let usage: UsageApp;

  before(async () => {
    usage = await serveUsage();
    const at = Date.now() - 60_000;
    const ofAnn = { userId: 'ann', conversationId: 'album' };
    await usage.record([
      usageRecord(at, {
        ...ofAnn,
        requestModel: 'gpt-image-1',
        attributes: { plan: 'pro', 'token_meter.usage.generated_images': 2 },
      }),
      usageRecord(at, {
        ...ofAnn,
        requestModel: 'gpt-image-1',
        attributes: { 'token_meter.usage.generated_images': 1 },
      }),
      usageRecord(at, {
        userId: 'bob',
        requestModel: 'whisper-1',
        attributes: { 'token_meter.usage.audio_input_seconds': 61.5 },
      }),
      usageRecord(at, { userId: 'bob', requestModel: 'gpt-4o', inputTokens: 5 }),
    ]);
  });
  after(async () => await usage.close());

  const ask = async (query: string): Promise<Response> => {
    const url = `${usage.app.origin}/api/usage/${query}`;
    const answer = await fetch(url, { headers: asViewer });
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer;
  };

  it('has a name for every unit of records', () => {
    assert.deepEqual(unitNames.toSorted(), USAGE_UNITS.map(unitName).toSorted());
  });

  it('are summed up for every row, and absent where no call has any', async () => {
    const body: unknown = await (await ask('summary?group_by=model&metric=calls')).json();
    const { rows, total } = usageSummary.parse(body);
    assert.deepEqual(usageSummary.parse(body), body, 'no member is missing in the schema');
    assert.deepEqual(total.units, { audio_input_seconds: 61.5, generated_images: 3 });
    assert.deepEqual(Object.fromEntries(rows.map(({ model, units }) => [model, units])), {
      'gpt-image-1': { generated_images: 3 },
      'whisper-1': { audio_input_seconds: 61.5 },
      'gpt-4o': undefined,
    });
  });

  it('are a field of rows like any number', async () => {
    const rowsOf = async (fields: string): Promise<readonly Record<string, unknown>[]> => {
      const answer = await ask(`summary?group_by=model&model=gpt-image-1&fields=${fields}`);
      return ((await answer.json()) as { rows: Record<string, unknown>[] }).rows;
    };
    assert.deepEqual(await rowsOf('units'), [
      { model: 'gpt-image-1', units: { generated_images: 3 } },
    ]);
    assert.deepEqual(await rowsOf('calls'), [{ model: 'gpt-image-1', calls: 2 }]);
  });

  it('are told of single calls by the same names', async () => {
    const body: unknown = await (await ask('records?user=ann')).json();
    const page = usagePage.parse(body);
    assert.deepEqual(page, body, 'no member is missing in the schema');
    assert.deepEqual(
      new Set(page.records.map(({ units }) => units?.generated_images)),
      new Set([1, 2]),
    );
    const plain = usagePage.parse(await (await ask('records?model=gpt-4o')).json());
    assert.equal(plain.records[0]?.units, undefined);
    const whole: unknown = await (await ask('conversations/album')).json();
    const conversation = usageConversation.parse(whole);
    assert.deepEqual(conversation, whole);
    assert.deepEqual(conversation.total?.units, { generated_images: 3 });
    assert.ok(conversation.records.every(({ units }) => units?.generated_images !== undefined));
  });

  it('are in tables and files', async () => {
    const body: unknown = await (await ask('table?group_by=user')).json();
    assert.deepEqual(usageTable.parse(body), body, 'no member is missing in the schema');
    const table = (await (await ask('table.csv?group_by=user&sort=name&order=asc')).text()).trim();
    const [head = '', ann = '', bob = ''] = table.split('\r\n');
    assert.match(head, /,generated_images,audio_input_seconds$/);
    assert.match(ann, /^ann,.*,3,$/);
    assert.match(bob, /^bob,.*,,61\.5$/);
    const calls = (await (await ask('export.csv?model=whisper-1')).text()).trim();
    assert.match(calls, /,units,attributes\r\n.*,"\{""audio_input_seconds"":61\.5\}",/);
  });
});
