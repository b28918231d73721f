import type { BilledUsage } from '../../domain/billed-usage.ts';
import { tokenCount } from '../../domain/token-counts.ts';
import type { OtherModelUse } from '../../domain/reply.ts';
import { fields, listOf, present, text, type JsonObject } from '../../tokens/json.ts';
import { responsesUsage } from './usage.ts';

/** Kinds of usage that tools of OpenAI are billed by. */
type HostedUses = Pick<
  BilledUsage,
  | 'webSearches'
  | 'previewWebSearches'
  | 'searchContentTokens'
  | 'fileSearches'
  | 'codeExecutions'
  | 'generatedImages'
>;

/**
 * Uses of tools that OpenAI runs and bills by the use, from a response (developers.openai.com/api/docs/pricing,
 * read 2026-11): web searches by the number that the response says is billed, or else by the `search` actions
 * (opening a page and finding in it are free), a file search by the call, code interpreter and hosted shell by
 * container. An image is billed by the tokens of another model (`imageToolUse`); where these are not reported, the
 * images are counted.
 */
export function hostedToolUses(response: unknown): HostedUses {
  const { output, tools, tool_usage: billed, model } = fields(response);
  let searches = 0;
  let fileSearches = 0;
  let generatedImages = 0;
  const containers = new Set<unknown>();
  for (const given of listOf(output)) {
    const item = fields(given);
    switch (item['type']) {
      case 'web_search_call':
        searches += searchesOf(item['action']);
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
      case 'shell_call': {
        const container = hostedShell(item, listOf(tools));
        if (container !== undefined) containers.add(container);
        break;
      }
    }
  }
  const billedSearches = tokenCount(fields(fields(billed)['web_search'])['num_requests']);
  return {
    ...webSearchUses(billedSearches ?? searches, {
      isPreview: listOf(tools).some((tool) => isPreviewSearch(text(fields(tool)['type']))),
      model: text(model),
    }),
    ...(fileSearches > 0 && { fileSearches }),
    ...(generatedImages > 0 && !hasImageUsage(billed) && { generatedImages }),
    ...(containers.size > 0 && { codeExecutions: containers.size }),
  };
}

/** What the model of the image generation tool used; undefined where it used nothing, or is not said to have. */
export function imageToolUse(response: unknown): OtherModelUse | undefined {
  const { tool_usage: billed, tools, output } = fields(response);
  if (!hasImageUsage(billed)) return undefined;
  const reported = fields(fields(billed)['image_gen']);
  const cached = fields(reported['cached_tokens_details']);
  const images = listOf(output).filter((item) => fields(item)['type'] === 'image_generation_call');
  const tool = listOf(tools).find((given) => fields(given)['type'] === 'image_generation');
  return {
    operation: 'image_generation',
    model: text(fields(tool)['model']),
    usage: present({
      ...responsesUsage(reported),
      imageCacheReadTokens: tokenCount(cached['cached_image_tokens']),
      generatedImages: images.length === 0 ? undefined : images.length,
    }),
  };
}

/** A response that reports its tools has counts of 0 of those that were not used. */
function hasImageUsage(billed: unknown): boolean {
  const { input_tokens: input, output_tokens: output } = fields(fields(billed)['image_gen']);
  return (tokenCount(input) ?? 0) + (tokenCount(output) ?? 0) > 0;
}

/** `web_search_preview` and its dated names, which have separate prices. */
export function isPreviewSearch(tool: string | undefined): boolean {
  return tool?.startsWith('web_search_preview') ?? false;
}

/** Models whose content of a search, with the tool that is no preview, is billed as a fixed number of tokens. */
const FIXED_CONTENT = /^(?:gpt-4o-mini|gpt-4\.1-mini)(?:-20|$)/;
const FIXED_CONTENT_TOKENS = 8000;

/**
 * Whether the fixed number is a part of the reported input is documented nowhere. It has a separate kind
 * without a price, so that the cost says what it leaves out.
 */
export function webSearchUses(
  searches: number,
  { isPreview, model }: { readonly isPreview: boolean; readonly model: string | undefined },
): HostedUses {
  if (searches === 0) return {};
  if (isPreview) return { previewWebSearches: searches };
  return FIXED_CONTENT.test(model ?? '')
    ? { webSearches: searches, searchContentTokens: FIXED_CONTENT_TOKENS * searches }
    : { webSearches: searches };
}

/** One action may ask several questions; an action of an unknown form counts as one search. */
export function searchesOf(action: unknown): number {
  const { type, queries } = fields(action);
  if (type !== undefined && type !== 'search') return 0;
  return Math.max(1, listOf(queries).length);
}

/** The container of a shell that OpenAI hosts; undefined for a shell of the caller's own. */
function hostedShell(item: JsonObject, tools: readonly unknown[]): unknown {
  const { container_id: container, type } = fields(item['environment']);
  if (type === 'local') return undefined;
  if (container !== undefined) return container;
  const isHosted = tools.some((tool) => {
    const { type: name, environment } = fields(tool);
    return name === 'shell' && text(fields(environment)['type'])?.startsWith('container') === true;
  });
  return isHosted ? 'shell' : undefined;
}
