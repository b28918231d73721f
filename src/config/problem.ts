/** A value that was not taken. The setting falls back to the next source that has one. */
export interface ConfigProblem {
  /** As the user wrote it: the path in the file, the variable, or the path in code. */
  readonly key: string;
  readonly source: 'code' | 'env' | 'file';
  /** As given; `(secret)` for secrets. */
  readonly value: unknown;
  /** What would have been accepted, in words. */
  readonly allowed: string;
  readonly file?: string;
  readonly line?: number;
}

/** One line a problem: where, what, and what is allowed. */
export function describeProblem(problem: ConfigProblem): string {
  const place =
    problem.file === undefined
      ? ''
      : `${problem.file}${problem.line === undefined ? '' : `:${problem.line}`}: `;
  const value = problem.value === undefined ? '' : ` is ${show(problem.value)}`;
  return `${place}${problem.key}${value}; allowed: ${problem.allowed}`;
}

/** All problems as one message, or `undefined` when there is none. */
export function describeProblems(problems: readonly ConfigProblem[]): string | undefined {
  if (problems.length === 0) return undefined;
  const lines = problems.map((problem) => `  ${describeProblem(problem)}`);
  return `otel-token-meter: wrong configuration, the value of lower precedence is used instead\n${lines.join('\n')}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
