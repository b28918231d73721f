/** `workflow`: a fixed process around agents and tools. */
const STEP_KINDS = ['agent', 'tool', 'workflow'] as const;

export type StepKind = (typeof STEP_KINDS)[number];

/** A step of an agent's run. */
export interface AgentStep {
  /** Id of the step's span where it has one. */
  readonly id: string;
  readonly kind: StepKind;
  readonly name: string;
}

/** Where in a run a call is made. */
export interface RunPosition {
  readonly runId: string;
  /** From the start of the run to the step that makes the call. */
  readonly steps: readonly AgentStep[];
}

/** Steps within steps; those that are deeper belong to the last one. */
export const STEPS_MAX = 32;

/** Name of the innermost step of a kind. */
export function innermost(steps: readonly AgentStep[], kind: StepKind): string | undefined {
  return steps.findLast((step) => step.kind === kind)?.name;
}

/** Steps as one text, for stores: `[["agent","planner","b7ad6b7169203331"]]`. */
export function stepsText(steps: readonly AgentStep[]): string {
  return JSON.stringify(steps.map(({ kind, name, id }) => [kind, name, id]));
}

/** The inverse of `stepsText`; undefined for anything else. */
export function stepsFrom(text: unknown): readonly AgentStep[] | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || parsed.length === 0) return undefined;
  const steps: AgentStep[] = [];
  for (const item of parsed as readonly unknown[]) {
    const [kind, name, id] = Array.isArray(item) ? (item as readonly unknown[]) : [];
    const known = STEP_KINDS.find((one) => one === kind);
    if (known === undefined || typeof name !== 'string' || typeof id !== 'string') return undefined;
    steps.push({ kind: known, name, id });
  }
  return steps;
}
