import type { BilledUsage } from '../../domain/billed-usage.ts';

/**
 * Uses of tools that Groq ran for a reply: a search or a visit of a page by the use, code by the time. What they
 * cost is not in its usage.
 */
export function executedToolUses(
  types: Iterable<unknown>,
): Pick<BilledUsage, 'webSearches' | 'codeExecutions'> {
  let webSearches = 0;
  let codeExecutions = 0;
  for (const type of types) {
    if (/search|browser|visit/i.test(String(type))) webSearches += 1;
    else if (/python|code/i.test(String(type))) codeExecutions += 1;
  }
  return {
    ...(webSearches > 0 && { webSearches }),
    ...(codeExecutions > 0 && { codeExecutions }),
  };
}
