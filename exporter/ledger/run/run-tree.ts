import type { AgentStep } from '../../../src/domain/agent-step.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { addSums, newTally, numbersOf, type Tally, type UsageSums } from '../queries/usage-sums.ts';
import { sumsOfRecord } from '../queries/record-sums.ts';
import type { UsageRun, UsageRunModel, UsageRunStep } from './usage-run.ts';

const MAX_STEPS = 5000;

type Part = Pick<UsageRun, 'start' | 'end' | 'elapsedMs' | 'total' | 'models' | 'steps'>;

interface Node {
  readonly step: AgentStep | undefined;
  readonly total: Tally;
  readonly models: Map<string, { readonly provider: string; readonly model: string; tally: Tally }>;
  readonly steps: Map<string, Node>;
  startMs: number;
  endMs: number;
}

/** Sums of a run's calls by step and model. */
export class RunTree {
  readonly #root = newNode(undefined);
  #steps = 0;
  #foldedCalls = 0;

  get calls(): number {
    return this.#root.total.sums.calls;
  }

  /** Calls that were counted in a step around their own. */
  get foldedCalls(): number {
    return this.#foldedCalls;
  }

  add(record: UsageRecord): void {
    const sums = sumsOfRecord(record);
    const endMs = Date.parse(record.time);
    const startMs = endMs - record.durationMs;
    let node = this.#root;
    take(node, sums, startMs, endMs);
    for (const step of record.steps ?? []) {
      const next = node.steps.get(step.id) ?? this.#newStep(node, step);
      if (next === undefined) {
        this.#foldedCalls += 1;
        break;
      }
      node = next;
      take(node, sums, startMs, endMs);
    }
    const key = JSON.stringify([record.provider, record.requestModel]);
    let model = node.models.get(key);
    if (model === undefined) {
      const { provider, requestModel } = record;
      model = { provider, model: requestModel, tally: newTally(false) };
      node.models.set(key, model);
    }
    addSums(model.tally.sums, sums);
  }

  part(): Part {
    return partOf(this.#root);
  }

  #newStep(around: Node, step: AgentStep): Node | undefined {
    if (this.#steps >= MAX_STEPS) return undefined;
    this.#steps += 1;
    const made = newNode(step);
    around.steps.set(step.id, made);
    return made;
  }
}

function newNode(step: AgentStep | undefined): Node {
  return {
    step,
    total: newTally(false),
    models: new Map(),
    steps: new Map(),
    startMs: Infinity,
    endMs: -Infinity,
  };
}

function take(node: Node, sums: UsageSums, startMs: number, endMs: number): void {
  addSums(node.total.sums, sums);
  node.startMs = Math.min(node.startMs, startMs);
  node.endMs = Math.max(node.endMs, endMs);
}

function partOf({ total, models, steps, startMs, endMs }: Node): Part {
  const leaves: UsageRunModel[] = [...models.values()]
    .map(({ provider, model, tally }) => ({ provider, model, ...numbersOf(tally) }))
    .toSorted(
      (a, b) => (b.totalTokens ?? 0) - (a.totalTokens ?? 0) || (a.model < b.model ? -1 : 1),
    );
  return {
    start: new Date(startMs).toISOString(),
    end: new Date(endMs).toISOString(),
    elapsedMs: endMs - startMs,
    total: numbersOf(total),
    models: leaves,
    steps: [...steps.values()].toSorted((a, b) => a.startMs - b.startMs).flatMap(stepOf),
  };
}

function stepOf(node: Node): readonly UsageRunStep[] {
  return node.step === undefined ? [] : [{ ...node.step, ...partOf(node) }];
}
