import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UsageRecord } from '../../src/domain/usage-record.ts';

/** A call as OpenAI has it: who made it, in which tier, and what it cost. */
export interface BilledCall {
  readonly record: UsageRecord;
  readonly apiKey: string;
  readonly batch: boolean;
  readonly costUsd: number;
  /** @default 'usd' */
  readonly currency?: string;
}

export interface OpenAiOrganization {
  /** Such as `http://127.0.0.1:4000/v1`. */
  readonly baseUrl: string;
  /** Paths that were asked, with their queries. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

const DAY_S = 86_400;
/** Days of a page: fewer than the documented limits, so that every answer has several. */
const PAGE_DAYS = 7;

/**
 * The usage and cost API of an OpenAI organization, answering as its reference documents: grouped as asked,
 * days without usage as empty buckets, pages with a cursor, 401 for another key.
 */
export async function startOpenAiOrganization(
  calls: readonly BilledCall[],
  { adminKey }: { readonly adminKey: string },
): Promise<OpenAiOrganization> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    asked.push(`${url.pathname}${url.search}`);
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${adminKey}`) {
      send(401, { error: { message: 'Incorrect API key provided' } });
      return;
    }
    const groups = url.searchParams.getAll('group_by[]');
    const resultsOf = ENDPOINTS[url.pathname];
    if (resultsOf === undefined) {
      send(404, { error: { message: 'Not found' } });
      return;
    }
    const start = Number(url.searchParams.get('start_time'));
    const end = Number(url.searchParams.get('end_time'));
    const first = Number(url.searchParams.get('page') ?? start);
    const last = Math.min(end, first + PAGE_DAYS * DAY_S);
    const data = [];
    for (let day = first; day < last; day += DAY_S) {
      const ofDay = calls.filter(({ record }) => {
        const time = Date.parse(`${record.time.slice(0, 19)}Z`) / 1000;
        return time >= day && time < day + DAY_S;
      });
      data.push({
        object: 'bucket',
        start_time: day,
        end_time: day + DAY_S,
        results: resultsOf(ofDay, groups),
      });
    }
    const hasMore = last < end;
    send(200, {
      object: 'page',
      data,
      has_more: hasMore,
      next_page: hasMore ? String(last) : null,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type ResultsOf = (calls: readonly BilledCall[], groups: readonly string[]) => readonly object[];

const ENDPOINTS: Readonly<Record<string, ResultsOf>> = {
  '/v1/organization/usage/completions': completions,
  '/v1/organization/usage/embeddings': () => [],
  '/v1/organization/usage/images': () => [],
  '/v1/organization/usage/audio_speeches': () => [],
  '/v1/organization/usage/audio_transcriptions': () => [],
  '/v1/organization/costs': costs,
};

const modelOf = ({ record }: BilledCall): string => record.responseModel ?? record.requestModel;

function completions(calls: readonly BilledCall[], groups: readonly string[]): readonly object[] {
  const keyOf = (call: BilledCall): object => ({
    project_id: null,
    user_id: null,
    api_key_id: groups.includes('api_key_id') ? call.apiKey : null,
    model: groups.includes('model') ? modelOf(call) : null,
    batch: groups.includes('batch') ? call.batch : null,
    service_tier: groups.includes('service_tier') ? 'default' : null,
  });
  return grouped(calls.filter(isServed), keyOf).map(([key, those]) => ({
    object: 'organization.usage.completions.result',
    input_tokens: sum(those, ({ record }) => record.inputTokens ?? 0),
    output_tokens: sum(those, ({ record }) => record.outputTokens ?? 0),
    input_cached_tokens: sum(those, ({ record }) => record.cacheReadTokens ?? 0),
    input_audio_tokens: 0,
    output_audio_tokens: 0,
    num_model_requests: those.length,
    ...key,
  }));
}

function costs(calls: readonly BilledCall[], groups: readonly string[]): readonly object[] {
  const keyOf = (call: BilledCall): object => ({
    line_item: groups.includes('line_item') ? `${modelOf(call)}, tokens` : null,
    project_id: null,
    api_key_id: groups.includes('api_key_id') ? call.apiKey : null,
  });
  return grouped(calls.filter(isServed), keyOf).map(([key, those]) => ({
    object: 'organization.costs.result',
    amount: { value: sum(those, ({ costUsd }) => costUsd), currency: those[0]?.currency ?? 'usd' },
    ...key,
  }));
}

const isServed = ({ record }: BilledCall): boolean => record.outcome !== 'error';

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function grouped(
  calls: readonly BilledCall[],
  keyOf: (call: BilledCall) => object,
): readonly (readonly [key: object, calls: readonly BilledCall[]])[] {
  const groups = new Map<string, BilledCall[]>();
  for (const call of calls) {
    const key = JSON.stringify(keyOf(call));
    groups.set(key, [...(groups.get(key) ?? []), call]);
  }
  return [...groups].map(([key, those]) => [JSON.parse(key) as object, those]);
}
