import {
  attributeOf,
  UNIT_PREFIX,
  unitName,
  USAGE_UNITS,
  type UsageUnit,
} from '../../../src/domain/billed-usage.ts';
import {
  DOCTOR_SERVICE,
  exactFieldOf,
  OTHER_VALUES,
  tagOfDimension,
  TEAM_TAG,
  USAGE_FIELDS,
  USAGE_MEASUREMENT,
} from '../usage-schema.ts';
import { cleanTag } from '../write/lines/escaping.ts';
import { dimensionOfKey } from '../../ledger/queries/dimension-key.ts';
import type { Dimension, Filters } from '../../ledger/queries/checked-query.ts';

/** InfluxQL of the ledger: the part that 1.x, 2.x and 3.x read alike. */

export const LEDGER: string = `"${USAGE_MEASUREMENT}"`;

/** Dimensions that are tags. */
const TAG_OF: Readonly<Partial<Record<Dimension, string>>> = {
  user: 'user_id',
  model: 'model',
  provider: 'provider',
  outcome: 'outcome',
  service: 'service',
};

/** Dimensions that are fields alone. */
const FIELD_OF: Readonly<Partial<Record<Dimension, string>>> = {
  conversation: USAGE_FIELDS.conversationId,
  error: USAGE_FIELDS.errorType,
  agent: USAGE_FIELDS.agentName,
  run: USAGE_FIELDS.runId,
  tool: USAGE_FIELDS.toolName,
};

/** Field of a dimension that no tag has. */
export function fieldOf(dimension: Dimension): string | undefined {
  return FIELD_OF[dimension];
}

/** Tag of the team or of a dimension, whose values are bounded; undefined for all others. */
export function boundedTagOf(dimension: Dimension): string | undefined {
  if (dimension === 'team') return TEAM_TAG;
  const own = dimensionOfKey(dimension);
  return own === undefined ? undefined : tagOfDimension(own);
}

/** Fields of units, by name. */
export const UNIT_FIELDS: ReadonlyMap<string, UsageUnit> = new Map(
  USAGE_UNITS.map((unit) => [attributeOf(unit), unit]),
);

/**
 * The fields of units in a SELECT: those that the ledger has. Most have none, and a column that is named costs every
 * row of the answer.
 */
export const UNIT_COLUMNS: string = `/^${UNIT_PREFIX.replaceAll('.', String.raw`\.`)}(${USAGE_UNITS.map(unitName).join('|')})$/`;

export const name = (identifier: string): string => `"${identifier}"`;

/** Values of a query, sent beside it: no character of theirs needs escaping, and no error quotes them. */
export class BoundValues {
  readonly values: Record<string, string> = {};

  /** The name that stands for the value in the query. */
  bind(value: string): string {
    const bound = `v${Object.keys(this.values).length}`;
    this.values[bound] = value;
    return `$${bound}`;
  }
}

/** Filters that `conditions` cannot express: InfluxQL does not find the absence of a field. */
export function untellable(filters: Filters): Filters {
  return filters.filter(
    ({ dimension, values }) => fieldOf(dimension) !== undefined && values.includes(null),
  );
}

export function isTellable(filters: Filters): boolean {
  return untellable(filters).length === 0;
}

/** ` AND …` for the filters that InfluxQL can express. */
export function conditions(filters: Filters, bound: BoundValues): string {
  const asksForService = filters.some(({ dimension }) => dimension === 'service');
  const calls = asksForService ? '' : ` AND ${name('service')} != '${DOCTOR_SERVICE}'`;
  const asked = filters
    .filter((filter) => isTellable([filter]))
    .map(({ dimension, values }) => {
      return ` AND (${values.map((value) => condition(dimension, value, bound)).join(' OR ')})`;
    })
    .join('');
  return calls + asked;
}

function condition(dimension: Dimension, value: string | null, bound: BoundValues): string {
  const field = fieldOf(dimension);
  if (field !== undefined) return `${name(field)} = ${value === null ? "''" : bound.bind(value)}`;
  const bounded = boundedTagOf(dimension);
  const tag = name(bounded ?? TAG_OF[dimension] ?? dimension);
  // A tag that a series does not have reads ''.
  if (value === null) return `${tag} = ''`;
  if (dimension === 'user') {
    const wanted = bound.bind(value);
    // The tag finds the series; whether a call of `(other)` is meant only its field tells.
    const series = `(${tag} = ${wanted} OR ${tag} = '${OTHER_VALUES}')`;
    return `(${series} AND ${name(USAGE_FIELDS.user)} = ${wanted})`;
  }
  if (bounded !== undefined) {
    const wanted = bound.bind(value);
    const beyond = `(${tag} = '${OTHER_VALUES}' AND ${name(exactFieldOf(bounded))} = ${wanted})`;
    return value === OTHER_VALUES ? beyond : `(${tag} = ${wanted} OR ${beyond})`;
  }
  const stored = cleanTag(value);
  const series = `${tag} = ${bound.bind(stored)}`;
  if (dimension !== 'model' || stored === value) return series;
  return `(${series} AND ${name(USAGE_FIELDS.requestModel)} = ${bound.bind(value)})`;
}

/** In the year 2262: servers read nothing that is later. */
const LAST_NS = 9_223_372_036_854_775_806n;

function nanoseconds(ms: number): bigint {
  const ns = BigInt(Math.ceil(ms)) * 1_000_000n;
  return ns < LAST_NS ? ns : LAST_NS;
}

export function timeRange(fromMs: number, toMs: number): string {
  return `time >= ${nanoseconds(fromMs)} AND time < ${nanoseconds(toMs)}`;
}
