import { Readable } from 'node:stream';
import { analyseCosts } from 'otel-token-meter';
import {
  forecastUsage,
  type UsageReader,
  type UsageSummary,
  usageRun,
  withUnits,
} from 'otel-token-meter/exporter';
import { z } from 'zod';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { teamView } from './team-view.ts';
import { type Currency, usageCsv } from './usage-csv.ts';
import {
  camel,
  costsQueryOf,
  forecastQueryOf,
  recordsQueryOf,
  summaryQueryOf,
} from './usage-query.ts';
import { allRecords } from './all-records.ts';
import { UsageTables, tableJson } from './usage-table.ts';
import {
  askedBy,
  CSV,
  fromReader,
  sendCsv,
  sendJson,
  UNAVAILABLE,
  untilGone,
} from './usage-answers.ts';
import { usageCosts, usageForecast } from './usage-costs-schema.ts';
import { type EraseUser, erasureRoute } from './usage-erasure.ts';
import {
  costsParameters,
  exportParameters,
  forecastParameters,
  recordsParameters,
  summaryParameters,
  tableParameters,
  withDimensions,
} from './usage-parameters.ts';
import {
  usageConversation,
  usagePage,
  usageRunTree,
  usageSummaryAnswer,
  usageTable,
} from './usage-schemas.ts';

export interface UsageRoutesOptions {
  readonly reader: UsageReader;
  /** File with contract prices. */
  readonly pricesFile?: string | undefined;
  /** File of a downloaded price list. */
  readonly listFile?: string | undefined;
  /** @default the time of day */
  readonly now?: () => Date;
  /** Names of the configured dimensions. @default none */
  readonly dimensions?: readonly string[];
  /** Deletes the calls of a user. @default there is no such route */
  readonly erase?: EraseUser;
  /** Currency of display of the CSV file, unless it is the US dollar. */
  readonly currency?: () => Currency | undefined;
}

/** Queries of the ledger for viewers. A client that disconnects ends its query. */
export function usageRoutes({
  reader: ofAll,
  pricesFile,
  listFile,
  now = () => new Date(),
  dimensions = [],
  currency,
  erase,
}: UsageRoutesOptions): readonly ApiRoute[] {
  const tables = new UsageTables();
  const readerFor = teamView(ofAll);
  return [
    apiRoute({
      method: 'get',
      path: '/api/usage/summary',
      summary: 'Numbers of a range, grouped by one or two keys',
      role: 'viewer',
      query: withDimensions(summaryParameters, dimensions),
      answers: {
        200: { description: 'Rows, (other) and total', schema: usageSummaryAnswer },
        503: UNAVAILABLE,
      },
      async handle(ctx, { query }) {
        const ask = async () =>
          await readerFor(ctx).summary({
            ...(await summaryQueryOf(query, now(), untilGone(ctx), dimensions)),
            ...askedBy(ctx),
          });
        const summary = await fromReader(ctx, ask);
        await sendJson(ctx, summary && withFields(summary, query.fields));
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/usage/table',
      summary:
        'Every user, model or conversation with its sums: sorted, searched, a page at a time',
      role: 'viewer',
      query: withDimensions(tableParameters, dimensions),
      answers: { 200: { description: 'One page', schema: usageTable }, 503: UNAVAILABLE },
      async handle(ctx, { query }) {
        const ask = () =>
          summaryQueryOf({ ...query, order: undefined }, now(), untilGone(ctx), dimensions);
        const page = await fromReader(ctx, () => tables.page(readerFor(ctx), query, ask));
        await sendJson(ctx, page && tableJson(page));
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/usage/table.csv',
      summary: 'All rows of such a table as CSV',
      role: 'viewer',
      query: withDimensions(tableParameters.omit({ offset: true, limit: true }), dimensions),
      answers: { 200: CSV, 503: UNAVAILABLE },
      async handle(ctx, { query }) {
        const ask = () =>
          summaryQueryOf({ ...query, order: undefined }, now(), untilGone(ctx), dimensions);
        const file = await fromReader(ctx, () => tables.csv(readerFor(ctx), query, ask));
        if (file) sendCsv(ctx, `usage-by-${query.group_by}`, now(), file);
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/usage/records',
      summary: 'Single calls, newest first, a page at a time',
      role: 'viewer',
      query: withDimensions(recordsParameters, dimensions),
      answers: { 200: { description: 'One page', schema: usagePage }, 503: UNAVAILABLE },
      async handle(ctx, { query }) {
        const ask = async () =>
          await readerFor(ctx).records({
            ...(await recordsQueryOf(query, now(), untilGone(ctx), dimensions)),
            ...askedBy(ctx),
          });
        const page = await fromReader(ctx, ask);
        await sendJson(ctx, page && { ...page, records: page.records.map(withUnits) });
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/usage/costs',
      summary:
        'What caching saved, what failed and aborted calls cost, and what other models would',
      role: 'viewer',
      query: withDimensions(costsParameters, dimensions),
      answers: {
        200: { description: 'Sums over every call of the range', schema: usageCosts },
        503: UNAVAILABLE,
      },
      async handle(ctx, { query }) {
        const ask = async () => {
          const { whatIf, ...records } = await costsQueryOf(
            query,
            now(),
            untilGone(ctx),
            dimensions,
          );
          return await analyseCosts(allRecords(readerFor(ctx), records), {
            whatIf,
            ...(pricesFile !== undefined && { pricesFile }),
            ...(listFile !== undefined && { listFile }),
          });
        };
        await sendJson(ctx, await fromReader(ctx, ask));
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/usage/forecast',
      summary: 'What the current calendar month will hold at its end, with a range',
      role: 'viewer',
      query: withDimensions(forecastParameters, dimensions),
      answers: {
        200: { description: 'From the daily sums of half a year', schema: usageForecast },
        503: UNAVAILABLE,
      },
      async handle(ctx, { query }) {
        const ask = async () =>
          await forecastUsage(
            readerFor(ctx),
            forecastQueryOf(query, now(), untilGone(ctx), dimensions),
          );
        await sendJson(ctx, await fromReader(ctx, ask));
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/usage/conversations/{id}',
      summary: 'The calls of one conversation, oldest first',
      role: 'viewer',
      params: z.strictObject({ id: z.string().max(1024) }),
      answers: {
        200: { description: 'Its calls and their total', schema: usageConversation },
        404: { description: 'There is no such conversation' },
        503: UNAVAILABLE,
      },
      async handle(ctx, { params }) {
        const ask = async () =>
          await readerFor(ctx).conversation(params.id, { signal: untilGone(ctx), ...askedBy(ctx) });
        const conversation = await fromReader(ctx, ask);
        if (conversation?.total !== undefined) {
          const records = conversation.records.map(withUnits);
          return await sendJson(ctx, { ...conversation, records });
        }
        return ctx.throw(404, 'There is no such conversation.', { code: 'not_found' });
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/usage/runs/{id}',
      summary: 'The steps of one run of an agent, with the calls of each by model',
      role: 'viewer',
      params: z.strictObject({ id: z.string().max(1024) }),
      answers: {
        200: { description: 'The tree of the run', schema: usageRunTree },
        404: { description: 'There is no such run' },
        503: UNAVAILABLE,
      },
      async handle(ctx, { params }) {
        const ask = async () =>
          (await usageRun(readerFor(ctx), params.id, {
            signal: untilGone(ctx),
            ...askedBy(ctx),
          })) ?? null;
        const run = await fromReader(ctx, ask);
        if (run === undefined) return;
        if (run !== null) return await sendJson(ctx, run);
        return ctx.throw(404, 'There is no such run.', { code: 'not_found' });
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/usage/export.csv',
      summary: 'Every call of a range as CSV, newest first, streamed',
      role: 'viewer',
      query: withDimensions(exportParameters, dimensions),
      answers: { 200: CSV, 503: UNAVAILABLE },
      async handle(ctx, { query: parameters }) {
        const reader = readerFor(ctx);
        // Read before the first byte is sent: a store that is down is a 503, not half a file.
        const start = await fromReader(ctx, async () => {
          const asked = await recordsQueryOf(parameters, now(), untilGone(ctx), dimensions);
          const query = { ...asked, ...askedBy(ctx), limit: 1000 };
          return { query, page: await reader.records(query) };
        });
        if (start === undefined) return;
        const lines = usageCsv(reader, start, { dimensions, currency: currency?.() });
        sendCsv(ctx, 'usage', now(), Readable.from(lines));
      },
    }),
    ...(erase === undefined
      ? []
      : [
          erasureRoute(async (order) => {
            try {
              return await erase(order);
            } finally {
              // A failed erasure may have deleted some.
              if (!order.dryRun) tables.forget();
            }
          }),
        ]),
  ];
}

/** Keys of the rows and these numbers. */
function withFields(summary: UsageSummary, fields: string | undefined): object {
  if (fields === undefined) return summary;
  const wanted = new Set(fields.split(',').map(camel));
  const rows = summary.rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).filter(
        ([name, value]) => wanted.has(name) || (typeof value !== 'number' && name !== 'units'),
      ),
    ),
  );
  return { ...summary, rows };
}
