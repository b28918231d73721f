import type { ReportedUsage } from '../../domain/reported-usage.ts';
import { objectAt, stringAt, text } from '../../tokens/json.ts';

const CODE_TOOL = /^(?:bash_|text_editor_)?code_execution$/;
/** Tools that search or fetch by code: with them, executions are free. */
const SEARCHES_BY_CODE = /(?:^|\.)web_(?:search|fetch)_(\d{8})$/;
const SINCE = 20_260_209;

/**
 * Counts executions of code on Anthropic's servers (platform.claude.com, "Code execution tool", read 2026-11).
 * They are billed by the time of the container, at least five minutes, beyond a number of free hours of the
 * organization. No reply says how long it was, so their number has no price, and the cost names them. They are
 * free in requests with the web search or web fetch tool of February 2026 or later.
 */
export class CodeExecutions {
  #uses = 0;
  #isFree: boolean;

  /** @param tools types of the tools in the request; empty if it is not known */
  constructor(tools: readonly unknown[]) {
    this.#isFree = tools.some((tool) => {
      const [, date] = SEARCHES_BY_CODE.exec(text(tool) ?? '') ?? [];
      return Number(date) >= SINCE;
    });
  }

  /** A `server_tool_use` block. */
  use(block: unknown): void {
    const name = stringAt(block, 'name') ?? '';
    if (CODE_TOOL.test(name)) this.#uses += 1;
    // Only those tools are called by code.
    const caller = stringAt(objectAt(block, 'caller'), 'type') ?? '';
    if (name.startsWith('web_') && caller.startsWith('code_execution')) this.#isFree = true;
  }

  addTo(usage: ReportedUsage | undefined): ReportedUsage | undefined {
    if (usage === undefined) return undefined;
    const { codeExecutions = this.#uses, ...rest } = usage;
    return codeExecutions === 0 || this.#isFree ? rest : { ...rest, codeExecutions };
  }
}
