// @ts-check
import { t } from './strings.js';

/** Refusal by the server, with a message for the user. */
export class ApiError extends Error {
  /**
   * @param {number} status 0: no answer
   * @param {string} message
   * @param {Readonly<Record<string, unknown>>} [problem] the whole problem+json
   */
  constructor(status, message, problem = {}) {
    super(message);
    this.status = status;
    this.problem = problem;
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
  throw new ApiError(answer.status, messageOf(answer, problem), problem);
}

/**
 * @param {Response} answer
 * @param {{ detail?: string, code?: string }} problem
 */
function messageOf(answer, { detail, code }) {
  if (answer.status === 401) return t('error.signedOut');
  if (code === 'forbidden') return t('error.forbidden');
  if (answer.status === 429) {
    return t('error.tooMany', { seconds: answer.headers.get('retry-after') ?? '60' });
  }
  return t('error.failed', { detail: detail ?? String(answer.status) });
}

/** Redirects to the sign-in page and back. Pages with user input ask first. */
export function goToSignIn() {
  const back = location.pathname + location.search;
  location.assign(`/sign-in?back=${encodeURIComponent(back)}`);
}
