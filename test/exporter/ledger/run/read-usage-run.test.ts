import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  SqliteUsageReader,
  usageReaderOfTeams,
  usageRun,
  type UsageRun,
  type UsageRunStep,
} from '../../../../exporter/index.ts';
import { LedgerFile } from '../../../../exporter/sqlite/write/ledger-file.ts';
import type { AgentStep } from '../../../../src/index.ts';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { mixedRecords } from '../../../support/usage-ledger.ts';
import { usageRecord } from '../../../support/usage-logs.ts';
import { agree } from '../../../conformance/usage-readers/usage-agreement.ts';

const planner: AgentStep = { kind: 'agent', name: 'planner', id: 'p' };
const search: AgentStep = { kind: 'tool', name: 'search', id: 's' };
const again: AgentStep = { kind: 'tool', name: 'search', id: 's2' };

describe('usageRun', () => {
  let folder: string;
  let path: string;
  let reader: SqliteUsageReader;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-run-'));
    path = join(folder, 'usage.db');
    reader = new SqliteUsageReader({ path });
  });
  afterEach(async () => {
    await reader.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function write(records: readonly UsageRecord[]): void {
    const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
    file.write(records);
    file.close();
  }

  const call = (at: string, steps: readonly AgentStep[], over: Partial<UsageRecord> = {}) =>
    usageRecord(`2026-11-01T10:00:${at}Z`, {
      runId: 'run-1',
      durationMs: 500,
      ...(steps.length > 0 && { steps }),
      ...over,
    });
  const counted = (tokens: number, costUsd?: number): Partial<UsageRecord> => ({
    inputTokens: tokens,
    outputTokens: 1,
    totalTokens: tokens + 1,
    tokenSource: 'provider',
    ...(costUsd !== undefined && { costUsd, costSource: 'list' }),
  });

  it('is the tree of the steps, each with its calls by model and all calls inside', async () => {
    write([
      call('01', [planner], { requestModel: 'gpt-4o', ...counted(100, 0.5) }),
      call('03', [planner, search], { requestModel: 'gpt-4o-mini', ...counted(10, 0.01) }),
      call('05', [planner, search], { requestModel: 'gpt-4o-mini', outcome: 'error' }),
      call('06', [planner, again], {
        requestModel: 'gpt-4o',
        ...counted(20, 0.1),
        costMissing: ['web_searches'],
      }),
      call('07', [planner], {
        requestModel: 'house-model',
        ...counted(7),
        tokenSource: 'estimated',
      }),
      call('09', [], { requestModel: 'gpt-4o', ...counted(1, 0.001) }),
      call('09', [], { runId: 'run-2', ...counted(1000, 9) }),
    ]);
    const run = await usageRun(reader, 'run-1');
    assert.partialDeepStrictEqual(run, {
      id: 'run-1',
      start: '2026-11-01T10:00:00.500Z',
      end: '2026-11-01T10:00:09.000Z',
      elapsedMs: 8500,
      truncated: false,
      total: {
        calls: 6,
        errors: 1,
        totalTokens: 143,
        costUsd: 0.611,
        partialCostCalls: 1,
        unpricedCalls: 1,
        estimatedShare: 0.2,
      },
      models: [{ provider: 'openai', model: 'gpt-4o', calls: 1 }],
    });
    assert.equal(run?.foldedCalls, undefined);
    assert.equal(run?.steps.length, 1);
    const [top] = run?.steps ?? [];
    assert.partialDeepStrictEqual(top, { ...planner, elapsedMs: 6500, total: { calls: 5 } });
    assert.deepEqual(
      top?.models.map(({ model, totalTokens, costUsd }) => [model, totalTokens, costUsd]),
      [
        ['gpt-4o', 101, 0.5],
        ['house-model', 8, undefined],
      ],
    );
    assert.deepEqual(
      top?.steps.map(({ id, total, elapsedMs }) => [id, total.calls, total.costUsd, elapsedMs]),
      [
        ['s', 2, 0.01, 2500],
        ['s2', 1, 0.1, 500],
      ],
    );
    assert.deepEqual(top?.steps[1]?.total.partialCostCalls, 1);
  });

  it('adds up: the models of the tree are the run, as its summary has it', async () => {
    const from = Date.parse('2026-11-01T00:00:00Z');
    const records = mixedRecords(300, from, from + 86_400_000);
    write(records);
    const own = records.filter(({ runId }) => runId === 'run "1"');
    const run = await usageRun(reader, 'run "1"');
    assert.ok(run !== undefined && own.length === 40);
    agree(run.total, own);
    const leaves = leavesOf(run);
    const sum = (key: 'calls' | 'errors' | 'totalTokens' | 'partialCostCalls' | 'unpricedCalls') =>
      leaves.reduce((total, leaf) => total + (leaf[key] ?? 0), 0);
    for (const key of [
      'calls',
      'errors',
      'totalTokens',
      'partialCostCalls',
      'unpricedCalls',
    ] as const) {
      assert.equal(sum(key), run.total[key], key);
    }
    const nanos = leaves.reduce((total, { costUsd = 0 }) => total + Math.round(costUsd * 1e9), 0);
    assert.equal(nanos / 1e9, run.total.costUsd);
  });

  it('reads runs of any length page by page, and folds steps without end into those around them', async () => {
    write(
      Array.from({ length: 5200 }, (_, index) =>
        call('30', [planner, { ...search, id: `tool-${index}` }], counted(1)),
      ),
    );
    const run = await usageRun(reader, 'run-1');
    assert.equal(run?.total.calls, 5200);
    assert.equal(run?.foldedCalls, 201);
    assert.equal(run?.steps[0]?.steps.length, 4999);
    assert.equal(run?.steps[0]?.models[0]?.calls, 201);
  });

  it('is undefined for a run without calls, and has only calls of the viewer', async () => {
    write([call('01', [planner], { team: 'a' }), call('02', [planner], { team: 'b' })]);
    assert.equal(await usageRun(reader, 'run-9'), undefined);
    const ofA = await usageRun(usageReaderOfTeams(reader, ['a']), 'run-1');
    assert.equal(ofA?.total.calls, 1);
    assert.equal(await usageRun(usageReaderOfTeams(reader, []), 'run-1'), undefined);
    await assert.rejects(
      usageRun(reader, 'run-1', { signal: AbortSignal.abort(new Error('gone')) }),
      /gone/,
    );
  });
});

function leavesOf({ models, steps }: Pick<UsageRun, 'models' | 'steps'>): UsageRun['models'] {
  return [...models, ...steps.flatMap((step: UsageRunStep) => leavesOf(step))];
}
