import type { UsagePage, UsageReader, UsageRecordsQuery } from 'otel-token-meter/exporter';

/** Every call of a query, newest first, read a page at a time. */
export async function* allRecords(
  reader: UsageReader,
  query: UsageRecordsQuery,
): AsyncGenerator<UsagePage['records'][number]> {
  let page = await reader.records({ ...query, limit: 1000 });
  for (;;) {
    yield* page.records;
    if (page.cursor === undefined) return;
    page = await reader.records({ ...query, limit: 1000, cursor: page.cursor });
  }
}
