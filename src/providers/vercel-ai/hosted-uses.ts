import type { BilledField, BilledUsage } from '../../domain/billed-usage.ts';

/** Tools that providers run and bill by the use, under the names that their packages give them. */
const KINDS: readonly (readonly [name: RegExp, kind: BilledField])[] = [
  [/^(?:web_search|google_search|browser_search)/, 'webSearches'],
  [/^file_search/, 'fileSearches'],
  [/^code_(?:interpreter|execution)/, 'codeExecutions'],
  [/^image_generation/, 'generatedImages'],
  [/^google_maps/, 'mapSearches'],
];

/** For vendors whose usage leaves such uses out. */
export function hostedUses(tools: readonly string[]): BilledUsage {
  const uses: { [Kind in BilledField]?: number } = {};
  for (const tool of tools) {
    const kind = KINDS.find(([name]) => name.test(tool))?.[1];
    if (kind !== undefined) uses[kind] = (uses[kind] ?? 0) + 1;
  }
  return uses;
}
