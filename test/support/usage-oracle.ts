import type { UsageGroup, UsageMetric } from '../../exporter/ledger/usage-query.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';

/**
 * Independent, simple implementation of sums over usage records, with `Intl` for the calendar.
 * Results of readers are compared with it.
 */
export interface OracleQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly groupBy: readonly UsageGroup[];
  readonly timeZone?: string;
  readonly where?: (record: UsageRecord) => boolean;
}

export interface OracleRow {
  readonly key: readonly (string | null)[];
  readonly records: readonly UsageRecord[];
}

const partsOf = new Map<string, Intl.DateTimeFormat>();

/** Date `2026-10-25` and hour `02` of an instant in a zone. */
function localTime(ms: number, timeZone: string): { day: string; hour: string; offset: string } {
  let format = partsOf.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      timeZoneName: 'longOffset',
    });
    partsOf.set(timeZone, format);
  }
  const parts = Object.fromEntries(
    format.formatToParts(ms).map(({ type, value }) => [type, value]),
  );
  const offset = parts['timeZoneName'] ?? '';
  return {
    day: `${parts['year']}-${parts['month']}-${parts['day']}`,
    hour: parts['hour'] ?? '',
    offset: offset === 'GMT' ? '+00:00' : offset.slice(3),
  };
}

function valueOf(record: UsageRecord, group: UsageGroup, timeZone: string): string | null {
  switch (group) {
    case 'user':
      return record.userId ?? null;
    case 'model':
      return record.requestModel;
    case 'conversation':
      return record.conversationId ?? null;
    case 'provider':
      return record.provider;
    case 'outcome':
      return record.outcome;
    case 'service':
      return record.service;
    case 'team':
      return record.team ?? null;
    case 'error':
      return record.errorType ?? null;
    case 'agent':
      return record.agentName ?? null;
    case 'run':
      return record.runId ?? null;
    case 'tool':
      return record.toolName ?? null;
    case 'day':
      return localTime(Date.parse(record.time), timeZone).day;
    case 'hour': {
      const { day, hour, offset } = localTime(Date.parse(record.time), timeZone);
      return `${day}T${hour}:00${offset}`;
    }
    default:
      return record.dimensions?.[group.slice('dimension.'.length)] ?? null;
  }
}

export function rowsOf(records: readonly UsageRecord[], query: OracleQuery): readonly OracleRow[] {
  const { groupBy, timeZone = 'UTC', where = () => true } = query;
  const rows = new Map<string, { key: (string | null)[]; records: UsageRecord[] }>();
  for (const record of records) {
    const ms = Date.parse(record.time);
    if (ms < query.fromMs || ms >= query.toMs || !where(record)) continue;
    const key = groupBy.map((group) => valueOf(record, group, timeZone));
    const row = rows.get(JSON.stringify(key)) ?? { key, records: [] };
    row.records.push(record);
    rows.set(JSON.stringify(key), row);
  }
  return [...rows.values()];
}

/** `undefined` when no record has a value. */
export function sumOf(
  records: readonly UsageRecord[],
  metric: Exclude<UsageMetric, 'calls' | 'errors'>,
): number | undefined {
  const known = records.map((record) => record[metric]).filter((value) => value !== undefined);
  if (known.length === 0) return undefined;
  if (metric !== 'costUsd') return known.reduce((sum, value) => sum + value, 0);
  const nanos = known.reduce((sum, value) => sum + BigInt(Math.round(value * 1e9)), 0n);
  return Number(nanos) / 1e9;
}

const UNITS: Readonly<Record<string, string>> = {
  webSearches: 'token_meter.usage.web_searches',
  generatedImages: 'token_meter.usage.generated_images',
  audioInputSeconds: 'token_meter.usage.audio_input_seconds',
};

/** Sums of what is not counted in tokens; a kind that no record has is absent. */
export function unitsOf(records: readonly UsageRecord[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(UNITS).flatMap(([unit, attribute]) => {
      const known = records.flatMap(({ attributes }) => attributes[attribute] ?? []) as number[];
      return known.length === 0 ? [] : [[unit, known.reduce((sum, amount) => sum + amount, 0)]];
    }),
  );
}

/** Nearest rank, exact. */
export function percentileOf(values: readonly number[], percent: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.floor((sorted.length * percent) / 100 + 0.5)) - 1];
}
