import type { BilledField, BilledUsage } from '../../domain/billed-usage.ts';
import { fields, isObject, listOf, text } from '../../tokens/json.ts';
import { CodeExecutions } from '../anthropic/code-executions.ts';
import { isPreviewSearch, searchesOf, webSearchUses } from '../openai/hosted-tools.ts';

/** Tools that providers run and bill by the use, under the names that their packages give them. */
const KINDS: readonly (readonly [name: RegExp, kind: BilledField])[] = [
  [/^(?:web_search|google_search|browser_search)/, 'webSearches'],
  [/^file_search/, 'fileSearches'],
  [/^(?:code_(?:interpreter|execution)|shell)/, 'codeExecutions'],
  [/^image_generation/, 'generatedImages'],
  [/^google_maps/, 'mapSearches'],
];

interface Use {
  readonly toolName: string;
  input: unknown;
  /** What the tool answered, where the package reports it. */
  result: unknown;
}

/** Counts uses of tools that the provider runs, for vendors whose usage leaves them out. */
export class HostedUses {
  readonly #uses = new Map<string, Use>();
  /** Names of provider tools in the request, which the caller chooses → the vendor's. */
  readonly #vendorNames = new Map<string, string>();
  readonly #isOpenAi: boolean;
  readonly #code: CodeExecutions;

  /** @param request options of the model call, if they are known */
  constructor(request: unknown) {
    const ids = listOf(fields(request)['tools']).map((tool) => fields(tool));
    for (const { id, name } of ids) {
      const vendorName = text(id)?.split('.').slice(1).join('.');
      if (typeof name === 'string' && vendorName) this.#vendorNames.set(name, vendorName);
    }
    this.#code = new CodeExecutions(ids.map(({ id }) => id));
    this.#isOpenAi = ids.some(({ id }) => text(id)?.startsWith('openai.') === true);
  }

  /** A `tool-call` or `tool-result` part; others are not looked at. */
  part(part: unknown): void {
    if (!isObject(part)) return;
    const { type, toolCallId, toolName, input, result, providerExecuted } = part;
    const id = String(toolCallId);
    if (type === 'tool-call' && providerExecuted === true) {
      this.#uses.set(id, { toolName: String(toolName), input, result: undefined });
    } else if (type === 'tool-result') {
      const use = this.#uses.get(id);
      if (use !== undefined) use.result = result;
    }
  }

  uses(model: string | undefined): BilledUsage {
    const uses: { [Kind in BilledField]?: number } = {};
    const containers = new Set<string>();
    let searches = 0;
    let isPreview = false;
    for (const [id, { toolName, input, result }] of this.#uses) {
      const name = this.#vendorNames.get(toolName) ?? toolName;
      const kind = KINDS.find(([pattern]) => pattern.test(name))?.[1];
      if (kind === undefined) continue;
      if (kind === 'webSearches') {
        searches += this.#isOpenAi ? searchesOf(fields(result)['action']) : 1;
        isPreview ||= isPreviewSearch(name);
      } else if (kind === 'codeExecutions') {
        // One container has all uses of a shell.
        containers.add(containerOf(input) ?? (name === 'shell' ? name : id));
      } else uses[kind] = (uses[kind] ?? 0) + 1;
    }
    return {
      ...uses,
      ...this.#code.addTo({ codeExecutions: containers.size }),
      ...webSearchUses(searches, { isPreview, model: this.#isOpenAi ? model : undefined }),
    };
  }
}

/** OpenAI bills the code interpreter by container, which its package names in the input. */
function containerOf(input: unknown): string | undefined {
  const text = typeof input === 'string' ? input : '';
  return /"containerId":"([^"]+)"/.exec(text)?.[1];
}
