import { formatTime } from '../formats.ts';
import { t } from '../texts.ts';
import type { Contract } from './contract.ts';

const DEFAULT_WAIT_MS = 60_000;

export type Parameters = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** Refusal by the server, with a message for the user. */
export class ApiError extends Error {
  /** 0: no answer. */
  readonly status: number;
  /** The whole problem+json. */
  readonly problem: Readonly<Record<string, unknown>>;
  /** What Retry-After asks for. */
  readonly waitMs: number;

  constructor(
    status: number,
    message: string,
    problem: Readonly<Record<string, unknown>> = {},
    waitMs = 0,
  ) {
    super(message);
    this.status = status;
    this.problem = problem;
    this.waitMs = waitMs;
  }
}

export interface CallOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Calls the API. Rejects with `ApiError` unless the answer is a success. */
export async function callApi(
  path: string,
  { method = 'GET', body, headers = {}, signal }: CallOptions = {},
): Promise<Response> {
  const init: RequestInit = { method, headers, signal: signal ?? null };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json', ...headers };
  }
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, t('error.unreachable'));
  }
  if (answer.ok) return answer;
  const problem = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const waitMs = 1000 * Number(answer.headers.get('retry-after') ?? 0);
  if (problem['code'] === 'budget_exceeded') throw budgetExceeded(problem);
  if (answer.status === 429) throw tooMany(waitMs || DEFAULT_WAIT_MS, problem);
  throw new ApiError(answer.status, messageOf(answer, problem), problem, waitMs);
}

/** The answer of a path, as its schema has it. */
export async function get<Path extends keyof Contract>(
  path: Path,
  parameters: Parameters = {},
  signal?: AbortSignal,
): Promise<Contract[Path]> {
  const answer = await callApi(path + queryOf(parameters), { signal });
  return (await answer.json()) as Contract[Path];
}

/** With its `?`, or nothing. */
export function queryOf(parameters: Parameters): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    for (const one of [value].flat()) search.append(name, String(one));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

export function tooMany(waitMs: number, problem?: Readonly<Record<string, unknown>>): ApiError {
  const seconds = Math.ceil(waitMs / 1000);
  return new ApiError(429, t('error.tooMany', { seconds }), problem, waitMs);
}

/** Also for an event of a stream that had begun. */
export function budgetExceeded(problem: Readonly<Record<string, unknown>>): ApiError {
  const { budget, resets_at: resetsAt } = problem;
  const text = t('chat.budget', { budget: String(budget), time: formatTime(String(resetsAt)) });
  return new ApiError(429, text, problem);
}

function messageOf(answer: Response, problem: Readonly<Record<string, unknown>>): string {
  if (answer.status === 401) return t('error.signedOut');
  if (problem['code'] === 'forbidden') return t('error.forbidden');
  const { detail } = problem as { readonly detail?: string };
  return t('error.failed', { detail: detail ?? String(answer.status) });
}

export function messageFor(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
