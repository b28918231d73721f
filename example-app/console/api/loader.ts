import { effect, signal, type ReadonlySignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import type { Context } from '../view/parameters.ts';
import { periodOf } from '../view/period.ts';
import type { View } from '../view/view.ts';
import { ApiError } from './client.ts';
import { changesWatched, news } from './live.ts';
import { UsageApi } from './usage-api.ts';

/** Limits updates when there are hundreds of calls per second. */
const REFRESH_MS = 1000;
const SLOWEST_REFRESH_MS = 10_000;
/** Live updates keep the ledger busy for at most a tenth of the time, and so do those that scan every call. */
const REST = 9;

/** An answer, and the view that it was asked for. */
export interface Answered<T> extends Context {
  readonly value: T;
}

type Question<T> = (api: UsageApi) => Promise<T>;
type Questions = Readonly<Record<string, Question<unknown>>>;
type AnswersOf<Q> = {
  readonly [K in keyof Q]?: Q[K] extends Question<infer T> ? Answered<T> : never;
};

/** The questions of a page, in the order of their panels: the ledger answers one after the other. */
export interface PageQuestions<Sums extends Questions, Scans extends Questions> {
  readonly sums: Sums;
  /** Questions that read every call of the range. */
  readonly scans?: Scans;
}

export interface PageState<Q> {
  /** Each is shown when it arrives; the former one stays until then. */
  readonly answers: AnswersOf<Q>;
  readonly busy: boolean;
  /** Once everything has been answered or has failed. */
  readonly loaded: boolean;
  /** Another view was asked for, and is not there yet. */
  readonly changing: boolean;
  readonly problem?: unknown;
  readonly updatedAt?: Date;
}

/** Asks the questions of a page: for each view that is shown, and when there are new calls. */
export class Loader<Q extends Questions> {
  readonly #questions: PageQuestions<Questions, Questions>;
  readonly #state = signal<PageState<Q>>({
    answers: {},
    busy: false,
    loaded: false,
    changing: false,
  });
  #view: View | undefined;
  #loading = new AbortController();
  #running = 0;
  /** Whether there were new calls since a load has begun. */
  #newsWaits = false;
  /** How long the sums of the last load took, ms. */
  #sumsMs = 0;
  /** Earliest time of the next scan, ms. */
  #restedAt = 0;
  /** Earliest time of the next live update, since the server has asked to wait, ms. */
  #notBefore = 0;

  constructor(questions: PageQuestions<Questions, Questions>) {
    this.#questions = questions;
  }

  get state(): ReadonlySignal<PageState<Q>> {
    return this.#state;
  }

  show(view: View): void {
    this.#view = view;
    this.#restedAt = 0;
    if (this.#state.value.loaded) this.#update({ changing: true });
    void this.load();
  }

  /** Asks again, all questions or some. */
  async load(only?: readonly string[]): Promise<void> {
    const view = this.#view;
    if (!view) return;
    if (!only) {
      this.#loading.abort();
      this.#loading = new AbortController();
      this.#running = 0;
    }
    const { signal: gone } = this.#loading;
    this.#running += 1;
    this.#update({ busy: true });
    await changesWatched();
    if (gone.aborted) return;
    const api = new UsageApi({ view, period: periodOf(view.range, new Date()) }, gone);
    const { sums, scans = {} } = this.#questions;
    const scanning = only === undefined && Date.now() >= this.#restedAt;
    const wanted = Object.entries({ ...sums, ...(scanning && scans) });
    const began = Date.now();
    if (!only) {
      this.#newsWaits = false;
      this.#sumsMs = 0;
    }
    const outcomes = await Promise.allSettled(
      wanted
        .filter(([name]) => only?.includes(name) ?? true)
        .map(async ([name, ask]) => {
          const value = await ask(api);
          if (gone.aborted) return;
          if (name in sums) this.#sumsMs = Math.max(this.#sumsMs, Date.now() - began);
          const answers = { ...this.#state.value.answers, [name]: { value, ...api.context } };
          this.#update({ answers: answers as AnswersOf<Q> });
        }),
    );
    if (gone.aborted) return;
    if (scanning) this.#restedAt = Date.now() + REST * (Date.now() - began);
    else if (!only) setTimeout(() => this.onNews(), this.#restedAt - Date.now());
    const problem = outcomes.find((outcome) => outcome.status === 'rejected')?.reason as unknown;
    this.#running -= 1;
    this.#update({
      busy: this.#running > 0,
      loaded: true,
      changing: false,
      problem,
      ...(problem === undefined && { updatedAt: new Date() }),
    });
    this.#notBefore = problem instanceof ApiError ? Date.now() + problem.waitMs : 0;
    if (this.#notBefore > Date.now()) {
      this.#newsWaits = false;
      this.onNews();
    } else if (this.#newsWaits) void this.load();
  }

  /** New calls during a load are handled after it. A range in the past has none. */
  onNews(): void {
    if (!this.#view || this.#newsWaits) return;
    if (!periodOf(this.#view.range, new Date()).live) return;
    this.#newsWaits = true;
    const restMs = Math.min(Math.max(REFRESH_MS, REST * this.#sumsMs), SLOWEST_REFRESH_MS);
    const waitMs = Math.max(restMs, this.#notBefore - Date.now() + 100);
    setTimeout(() => {
      const isNow = !this.#state.value.busy && this.#newsWaits && Date.now() >= this.#notBefore;
      if (isNow) void this.load();
    }, waitMs);
  }

  /** The page is left. */
  close(): void {
    this.#view = undefined;
    this.#loading.abort();
  }

  #update(part: Partial<PageState<Q>>): void {
    this.#state.value = { ...this.#state.value, ...part };
  }
}

/** Loads the questions for the view, and again with each new call, while the page is shown. */
export function useLoader<S extends Questions, C extends Questions = {}>(
  questions: PageQuestions<S, C>,
  view: View,
): Loader<S & C> {
  const loader = useMemo(() => new Loader<S & C>(questions), []);
  // Before the view is painted: with it the page is said to be busy.
  useLayoutEffect(() => loader.show(view), [view]);
  useEffect(() => {
    let isFirst = true;
    const end = effect(() => {
      if (news.value >= 0 && !isFirst) loader.onNews();
      isFirst = false;
    });
    return () => {
      end();
      loader.close();
    };
  }, []);
  return loader;
}
