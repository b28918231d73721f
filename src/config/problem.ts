/** A rejected value. The setting falls back to the next source. */
export interface ConfigProblem {
  /** Path in the file, name of the variable, or path in code. */
  readonly key: string;
  readonly source: 'code' | 'env' | 'file';
  /** The value as given, or `(secret)`. */
  readonly value: unknown;
  /** Description of the accepted values. */
  readonly allowed: string;
  readonly file?: string;
  readonly line?: number;
}

/** One line per problem: place, value, and what is allowed. */
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
  return `otel-token-meter: invalid configuration; values of lower precedence are used instead\n${lines.join('\n')}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
