import type { UsagePage, UsageReader, UsageRecordsQuery } from 'otel-token-meter/exporter';

/** The most that a reader gives at once. */
const PAGE = 1000;

/** Every call of a query, newest first, a page at a time. */
export async function* allRecords(
  reader: UsageReader,
  query: Omit<UsageRecordsQuery, 'limit' | 'cursor'>,
): AsyncGenerator<UsagePage['records'][number]> {
  let cursor: string | undefined;
  do {
    const page = await reader.records({ ...query, limit: PAGE, ...(cursor && { cursor }) });
    yield* page.records;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
