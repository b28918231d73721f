// @ts-check
import { t } from './strings.js';

const DEFAULT_WAIT_MS = 60_000;

/** Refusal by the server, with a message for the user. */
export class ApiError extends Error {
  /**
   * @param {number} status 0: no answer
   * @param {string} message
   * @param {Readonly<Record<string, unknown>>} [problem] the whole problem+json
   * @param {number} [waitMs] what Retry-After asks for
   */
  constructor(status, message, problem = {}, waitMs = 0) {
    super(message);
    this.status = status;
    this.problem = problem;
    this.waitMs = waitMs;
  }
}

/**
 * Calls the API. Rejects with `ApiError` unless the answer is a success.
 *
 * @param {string} path
 * @param {{ method?: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal }} [options]
 * @returns {Promise<Response>}
 */
export async function callApi(path, { method = 'GET', body, headers = {}, signal } = {}) {
  /** @type {RequestInit} */
  const init = { method, headers, signal: signal ?? null };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json', ...headers };
  }
  let answer;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, t('error.unreachable'));
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const waitMs = 1000 * Number(answer.headers.get('retry-after') ?? 0);
  if (answer.status === 429) throw tooMany(waitMs || DEFAULT_WAIT_MS, problem);
  throw new ApiError(answer.status, messageOf(answer, problem), problem, waitMs);
}

/** @param {number} waitMs @param {Readonly<Record<string, unknown>>} [problem] */
export function tooMany(waitMs, problem) {
  const seconds = Math.ceil(waitMs / 1000);
  return new ApiError(429, t('error.tooMany', { seconds }), problem, waitMs);
}

/**
 * @param {Response} answer
 * @param {{ detail?: string, code?: string }} problem
 */
function messageOf(answer, { detail, code }) {
  if (answer.status === 401) return t('error.signedOut');
  if (code === 'forbidden') return t('error.forbidden');
  return t('error.failed', { detail: detail ?? String(answer.status) });
}

/** Redirects to the sign-in page and back. Pages with user input ask first. */
export function goToSignIn() {
  const back = location.pathname + location.search;
  location.assign(`/sign-in?back=${encodeURIComponent(back)}`);
}
