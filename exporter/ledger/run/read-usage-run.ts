import type { UsageReader } from '../usage-query.ts';
import { RunTree } from './run-tree.ts';
import type { UsageRun } from './usage-run.ts';

const PAGE = 1000;
const MAX_CALLS = 100_000;

/**
 * The calls of one run of an agent as the tree of its steps. Undefined for a run without calls. Rejects as the reader
 * does.
 */
export async function usageRun(
  reader: Pick<UsageReader, 'records'>,
  id: string,
  options: { readonly askedBy?: string; readonly signal?: AbortSignal } = {},
): Promise<UsageRun | undefined> {
  const tree = new RunTree();
  let cursor: string | undefined;
  do {
    const page = await reader.records({
      ...options,
      filter: { run: id },
      limit: PAGE,
      ...(cursor !== undefined && { cursor }),
    });
    for (const record of page.records) tree.add(record);
    cursor = page.cursor;
  } while (cursor !== undefined && tree.calls < MAX_CALLS);
  if (tree.calls === 0) return undefined;
  return {
    id,
    ...tree.part(),
    truncated: cursor !== undefined,
    ...(tree.foldedCalls > 0 && { foldedCalls: tree.foldedCalls }),
  };
}
