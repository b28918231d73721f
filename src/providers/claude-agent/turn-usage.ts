import type { BilledUsage } from '../../domain/billed-usage.ts';
import { addUsage, plus, tokenCount, usageOf } from '../../domain/token-counts.ts';
import { fields, isObject, stringAt } from '../../tokens/json.ts';

interface ModelTotal {
  readonly model: string;
  /** The name without date and platform, where the SDK says it. */
  readonly canonical: string | undefined;
  readonly usage: BilledUsage;
}

/** What a turn used of one model beyond the calls that its messages showed. */
export interface RestOfTurn {
  readonly model: string;
  readonly usage: BilledUsage;
}

/**
 * Tokens by model. A message of the SDK has the output that had arrived when its first block was complete, and helper
 * calls have no message at all; the result of a turn has the totals of the session so far, which are right.
 */
export class TurnUsage {
  #totals = new Map<string, BilledUsage>();
  #isKnown: boolean;
  readonly #heard = new Map<string, { usage: BilledUsage; calls: number }>();
  #isWhole = true;

  /** @param isFresh false for a session that goes on: its totals start with what was used before */
  constructor(isFresh: boolean) {
    this.#isKnown = isFresh;
  }

  heard(model: string, usage: BilledUsage): void {
    const known = this.#heard.get(model);
    this.#heard.set(model, {
      usage: addUsage(known?.usage, usage) ?? usage,
      calls: (known?.calls ?? 0) + 1,
    });
  }

  /** Calls of this turn were not metered, so that it is not known what the others are. */
  missed(): void {
    this.#isWhole = false;
  }

  callsOf(model: string): number {
    return this.#heard.get(model)?.calls ?? 0;
  }

  /** A turn is over; what it used beyond the calls that were heard. */
  ended(modelUsage: unknown): readonly RestOfTurn[] {
    const [isKnown, isWhole, heard] = [this.#isKnown, this.#isWhole, new Map(this.#heard)];
    const before = this.#totals;
    const totals = Object.entries(fields(modelUsage)).flatMap(([key, value]) =>
      totalOf(key, value),
    );
    this.#totals = new Map(totals.map(({ model, usage }) => [model, usage]));
    this.#isKnown = true;
    this.#isWhole = true;
    this.#heard.clear();
    if (!isKnown || !isWhole) return [];
    const rests: RestOfTurn[] = [];
    for (const total of totals) {
      let { usage } = total;
      const last = before.get(total.model);
      // `/clear` sets them back to nothing.
      const isGoingOn = last !== undefined && !hasLess(usage, last);
      if (isGoingOn) usage = minus(usage, last);
      for (const [model, { usage: known }] of heard) {
        if (!isSameModel(total, model)) continue;
        usage = minus(usage, known);
        heard.delete(model);
      }
      if (Object.values(usage).some((count) => count > 0)) {
        rests.push({ model: total.model, usage });
      }
    }
    // Under which name the totals have these calls is not known.
    return heard.size > 0 ? [] : rests;
  }
}

function totalOf(key: string, value: unknown): ModelTotal[] {
  if (!isObject(value)) return [];
  const count = (name: string): number | undefined => tokenCount(value[name]);
  const [cacheReadTokens, cacheWriteTokens] = [
    count('cacheReadInputTokens'),
    count('cacheCreationInputTokens'),
  ];
  const usage = usageOf({
    inputTokens: plus(count('inputTokens'), cacheReadTokens, cacheWriteTokens),
    outputTokens: count('outputTokens'),
    cacheReadTokens,
    cacheWriteTokens,
    cacheWrite1hTokens: count('cacheCreationEphemeral1hInputTokens'),
    reasoningTokens: count('thinkingTokens'),
    webSearches: count('webSearchRequests'),
  });
  return usage === undefined
    ? []
    : [{ model: withoutWindow(key), canonical: stringAt(value, 'canonicalModel'), usage }];
}

/** Claude Code writes a context window of a million tokens behind the name: `claude-sonnet-4-5[1m]`. */
function withoutWindow(model: string): string {
  return model.replace(/\[\w+\]$/, '');
}

/** Whether a total is that of the model that a message names. */
export function isSameModel(
  { model, canonical }: { readonly model: string; readonly canonical?: string | undefined },
  heard: string,
): boolean {
  if (model === heard || model.includes(heard) || heard.startsWith(`${model}-`)) return true;
  return canonical !== undefined && (heard === canonical || heard.startsWith(`${canonical}-`));
}

function hasLess(usage: BilledUsage, than: BilledUsage): boolean {
  return Object.entries(than).some(
    ([key, count]) => (usage[key as keyof BilledUsage] ?? 0) < count,
  );
}

function minus(usage: BilledUsage, less: BilledUsage): BilledUsage {
  return Object.fromEntries(
    Object.entries(usage).map(([key, count]) => [
      key,
      Math.max(0, (count as number) - (less[key as keyof BilledUsage] ?? 0)),
    ]),
  );
}
