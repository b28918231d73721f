import type { BilledUsage } from '../../domain/billed-usage.ts';
import { fields, listOf, objectAt } from '../../tokens/json.ts';

/** Searches that Gemini made for a reply, from `groundingMetadata` of its candidates. */
export class Grounding {
  readonly #queries = new Set<unknown>();
  #usesMaps = false;

  add(metadata: unknown): void {
    for (const query of listOf(fields(metadata)['webSearchQueries'])) {
      this.#queries.add(query);
    }
    this.#usesMaps ||= listOf(fields(metadata)['groundingChunks']).some(
      (chunk) => objectAt(chunk, 'maps') !== undefined,
    );
  }

  /**
   * Up to Gemini 2.5 a grounded prompt is billed once, from Gemini 3 on each query
   * (ai.google.dev/gemini-api/docs/pricing, read 2026-11).
   */
  uses(model: string | undefined): Pick<BilledUsage, 'webSearches' | 'mapSearches'> {
    const byPrompt = /gemini-(?:1|2)/.test(model ?? '');
    const { size } = this.#queries;
    return {
      ...(size > 0 && { webSearches: byPrompt ? 1 : size }),
      ...(this.#usesMaps && { mapSearches: 1 }),
    };
  }
}
