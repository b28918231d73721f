import { BILLED_KINDS, hasUsage } from '../domain/billed-usage.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { encodingForModel } from '../tokens/models.ts';
import { nanosOf } from './cost-sum.ts';
import { NANO_DOLLARS } from './nano-dollars.ts';
import type { CallCost, PricedCall } from './priced-call.ts';
import type { Prices } from './prices.ts';

/** Calls of one model, as if another one had answered them. */
export interface WhatIfRule {
  readonly from: string;
  readonly to: string;
}

/** Parts of a cost, in US dollars. */
export type CostByKind = Readonly<Record<(typeof KINDS)[number], number>>;

/**
 * The same token counts at the prices of another model. How long its replies are, and whether they are
 * good enough, is not known.
 */
export interface WhatIf extends WhatIfRule {
  /** Calls of the model, without those that failed and used nothing. */
  readonly calls: number;
  /** Those with a price for both models: only these are compared. */
  readonly comparedCalls: number;
  /** Calls without a price for the model itself. */
  readonly unpricedCalls: number;
  /** Calls without a price for the other model. */
  readonly unpricedThen: number;
  /** By the prices of now; what the provider reported is not used, so that like is compared with like. */
  readonly costUsd?: number;
  readonly costThenUsd?: number;
  /** Positive where the other model costs less. */
  readonly savedUsd?: number;
  readonly byKind?: CostByKind;
  readonly byKindThen?: CostByKind;
  /** Parts without a price for one of the two models, in neither sum → calls. */
  readonly missing: Readonly<Record<string, number>>;
  readonly missingThen: Readonly<Record<string, number>>;
  /** The models count the same text differently, or it is not known whether they do. */
  readonly otherTokenizer: boolean;
}

const KINDS = ['input', 'cacheReads', 'cacheWrites', 'output', 'modalitiesAndTools'] as const;

export class WhatIfTally {
  readonly #rule: WhatIfRule;
  readonly #prices: Prices;
  #calls = 0;
  #compared = 0;
  #unpriced = 0;
  #unpricedThen = 0;
  readonly #now = new KindSums();
  readonly #then = new KindSums();

  constructor(rule: WhatIfRule, prices: Prices) {
    this.#rule = rule;
    this.#prices = prices;
  }

  add(record: UsageRecord): void {
    const { from, to } = this.#rule;
    if (record.requestModel !== from && record.responseModel !== from) return;
    if (!hasUsage(record)) return;
    this.#calls += 1;
    const now = partsOf(this.#prices, record);
    const then = partsOf(this.#prices, this.#asModel(record, to));
    if (now === undefined) this.#unpriced += 1;
    if (then === undefined) this.#unpricedThen += 1;
    if (now === undefined || then === undefined) return;
    this.#compared += 1;
    this.#now.add(now);
    this.#then.add(then);
  }

  /** Of the same provider, or of the model's own vendor where that provider has no price for it. */
  #asModel(record: UsageRecord, requestModel: string): PricedCall {
    const { responseModel: _answered, ...call } = record;
    const here = { ...call, requestModel };
    return this.#prices.price(here) === undefined ? { ...here, provider: 'unknown' } : here;
  }

  result(): WhatIf {
    const { from, to } = this.#rule;
    return {
      from,
      to,
      calls: this.#calls,
      comparedCalls: this.#compared,
      unpricedCalls: this.#unpriced,
      unpricedThen: this.#unpricedThen,
      ...(this.#compared > 0 && {
        costUsd: this.#now.total / NANO_DOLLARS,
        costThenUsd: this.#then.total / NANO_DOLLARS,
        savedUsd: (this.#now.total - this.#then.total) / NANO_DOLLARS,
        byKind: this.#now.byKind(),
        byKindThen: this.#then.byKind(),
      }),
      missing: this.#now.missing(),
      missingThen: this.#then.missing(),
      // A name that nothing was compared with may be any text.
      otherTokenizer: this.#compared === 0 || isOtherTokenizer(from, to),
    };
  }
}

function isOtherTokenizer(from: string, to: string): boolean {
  const [one, other] = [encodingForModel(from), encodingForModel(to)];
  const areKnown = one.quality === 'exact' && other.quality === 'exact';
  return !areKnown || one.encoding !== other.encoding;
}

/** Nano-dollars by kind. */
interface Parts {
  readonly kinds: Readonly<Record<(typeof KINDS)[number], number>>;
  readonly missing: readonly string[];
}

class KindSums {
  readonly #sums = { input: 0, cacheReads: 0, cacheWrites: 0, output: 0, modalitiesAndTools: 0 };
  readonly #missing = new Map<string, number>();

  add({ kinds, missing }: Parts): void {
    for (const kind of KINDS) this.#sums[kind] += kinds[kind];
    for (const name of missing) this.#missing.set(name, (this.#missing.get(name) ?? 0) + 1);
  }

  get total(): number {
    return KINDS.reduce((sum, kind) => sum + this.#sums[kind], 0);
  }

  byKind(): CostByKind {
    const { input, cacheReads, cacheWrites, output, modalitiesAndTools } = this.#sums;
    return {
      input: input / NANO_DOLLARS,
      cacheReads: cacheReads / NANO_DOLLARS,
      cacheWrites: cacheWrites / NANO_DOLLARS,
      output: output / NANO_DOLLARS,
      modalitiesAndTools: modalitiesAndTools / NANO_DOLLARS,
    };
  }

  missing(): Record<string, number> {
    return Object.fromEntries([...this.#missing].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

const WRITES_KEPT = BILLED_KINDS.find(({ field }) => field === 'cacheWrite1hTokens')?.attribute;

/**
 * Adds one kind after another to the same number of input tokens, on which the prices of long contexts
 * depend. Each kind costs what it adds, so that the parts make up the whole to the nano-dollar.
 */
function partsOf(prices: Prices, call: PricedCall): Parts | undefined {
  const whole = prices.price(call);
  if (whole === undefined) return undefined;
  const { attributes = {}, inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 } = call;
  const kept = WRITES_KEPT === undefined ? undefined : attributes[WRITES_KEPT];
  const bare: PricedCall = {
    ...call,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    attributes: regionOnly(attributes),
  };
  const writes = kept === undefined ? {} : { [WRITES_KEPT ?? '']: kept };
  const reading = { ...bare, cacheReadTokens };
  const writing = {
    ...reading,
    cacheWriteTokens,
    attributes: { ...bare.attributes, ...writes },
  };
  const { outputTokens = 0, reasoningTokens = 0 } = call;
  const answering = { ...writing, outputTokens, reasoningTokens };
  const [plain = 0, read = 0, written = 0, answered = 0] = [bare, reading, writing, answering].map(
    (step) => nanos(prices.price(step)),
  );
  const perCached = inputTokens === 0 ? 0 : plain / inputTokens;
  const ofReads = Math.round(perCached * cacheReadTokens);
  const ofWrites = Math.round(perCached * cacheWriteTokens);
  return {
    kinds: {
      input: plain - ofReads - ofWrites,
      cacheReads: read - plain + ofReads,
      cacheWrites: written - read + ofWrites,
      output: answered - written,
      modalitiesAndTools: nanos(whole) - answered,
    },
    missing: whole.costMissing ?? [],
  };
}

function nanos(cost: CallCost | undefined): number {
  return cost === undefined ? 0 : nanosOf(cost.costUsd);
}

/** Without the kinds beyond the token counts. */
function regionOnly(attributes: NonNullable<PricedCall['attributes']>): typeof attributes {
  const kinds = new Set(BILLED_KINDS.map(({ attribute }) => attribute));
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !kinds.has(name)));
}
