import type { BilledUsage } from '../../domain/billed-usage.ts';
import { fields, listOf } from '../../tokens/json.ts';

/**
 * Uses of tools that OpenAI runs and bills by the use, from the output items of a response
 * (developers.openai.com/api/docs/pricing, read 2026-11): a web search by its `search` action (opening
 * a page and finding in it are free), a file search by the call, the code interpreter by container, an
 * image by the tokens of another model, of which a price is not known here.
 */
export function hostedToolUses(
  items: readonly unknown[],
): Pick<BilledUsage, 'webSearches' | 'fileSearches' | 'codeExecutions' | 'generatedImages'> {
  let webSearches = 0;
  let fileSearches = 0;
  let generatedImages = 0;
  const containers = new Set<unknown>();
  for (const given of items) {
    const item = fields(given);
    switch (item['type']) {
      case 'web_search_call':
        webSearches += searchesOf(item['action']);
        break;
      case 'file_search_call':
        fileSearches += 1;
        break;
      case 'image_generation_call':
        generatedImages += 1;
        break;
      case 'code_interpreter_call':
        containers.add(item['container_id'] ?? item['id']);
        break;
    }
  }
  return {
    ...(webSearches > 0 && { webSearches }),
    ...(fileSearches > 0 && { fileSearches }),
    ...(generatedImages > 0 && { generatedImages }),
    ...(containers.size > 0 && { codeExecutions: containers.size }),
  };
}

/** One action may ask several questions; an action of an unknown form counts as one search. */
function searchesOf(action: unknown): number {
  const { type, queries } = fields(action);
  if (type !== undefined && type !== 'search') return 0;
  return Math.max(1, listOf(queries).length);
}
