/** Presets that end now, and those that are over. */
export const presets = ['today', '24h', '7d', '30d', '90d'] as const;
export const calendar = ['yesterday', 'this-month', 'last-month'] as const;
export const dimensions = [
  'user',
  'model',
  'conversation',
  'provider',
  'outcome',
  'service',
  'team',
  'error',
  'agent',
  'run',
  'tool',
] as const;
export const stacks = ['kind', 'model', 'user', 'team'] as const;
export const measures = ['total_tokens', 'cost_usd', 'calls'] as const;
export const latencies = ['duration', 'first'] as const;

export type Preset = (typeof presets)[number] | (typeof calendar)[number];
/** Of the configuration: `dimension.feature`. */
export type OwnDimension = `dimension.${string}`;
export type Dimension = (typeof dimensions)[number] | OwnDimension;
export type Stack = (typeof stacks)[number] | OwnDimension;
export type Measure = (typeof measures)[number];
/** Of the whole call, or to its first chunk. */
export type Latency = (typeof latencies)[number];

/** Times are RFC 3339. */
export type Range = Preset | { readonly from: string; readonly to: string };

/** An empty value stands for calls that have none. */
type Filters = Readonly<Partial<Record<Dimension, readonly string[]>>>;

/** What a table shows of its rows. */
export interface TableState {
  /** Key of a column. */
  readonly sort?: string | undefined;
  readonly descending: boolean;
  readonly search: string;
  /** From 0. */
  readonly page: number;
}

/** State of a page. It is part of the URL, so that links and the back button work. */
export interface View {
  readonly range: Range;
  /** What sums are compared with. @default the equally long period before */
  readonly compare: Range | undefined;
  readonly filters: Filters;
  readonly stack: Stack;
  readonly measure: Measure;
  readonly latency: Latency;
  /** Of the table of the page. */
  readonly table: TableState;
}

/** View of a URL without parameters. */
const DEFAULTS = {
  range: '7d',
  stack: 'model',
  measure: 'total_tokens',
  latency: 'duration',
} as const;

export function viewOf(search: string): View {
  const parameters = new URLSearchParams(search);
  const filters: Partial<Record<Dimension, readonly string[]>> = {};
  for (const dimension of [...dimensions, ...[...parameters.keys()].filter(isOwn)]) {
    const values = parameters.getAll(dimension);
    if (values.length > 0) filters[dimension] = [...new Set(values)].slice(0, 50);
  }
  return {
    range: rangeOf(parameters, '') ?? DEFAULTS.range,
    compare: rangeOf(parameters, 'compare_'),
    filters,
    stack: stackOf(parameters.get('by')) ?? DEFAULTS.stack,
    measure: oneOf(parameters.get('measure'), measures) ?? DEFAULTS.measure,
    latency: oneOf(parameters.get('latency'), latencies) ?? DEFAULTS.latency,
    table: tableOf(parameters),
  };
}

function isOwn(name: string): name is OwnDimension {
  return /^dimension\.[a-z][a-z0-9_]{0,31}$/.test(name);
}

function stackOf(by: string | null): Stack | undefined {
  return by !== null && isOwn(by) ? by : oneOf(by, stacks);
}

/** `sort=-cost_usd` is descending. */
function tableOf(parameters: URLSearchParams): TableState {
  const [, sign = '-', sort] = /^(-?)([a-z_]{1,32})$/.exec(parameters.get('sort') ?? '') ?? [];
  const page = Number(parameters.get('page') ?? 1);
  return {
    sort,
    descending: sign === '-',
    search: (parameters.get('search') ?? '').slice(0, 256),
    page: Number.isInteger(page) && page > 0 && page < 1e5 ? page - 1 : 0,
  };
}

/** With its `?`, or nothing. */
export function searchOf(view: View): string {
  const { range, compare, filters, stack, measure, latency, table } = view;
  const parameters = new URLSearchParams();
  if (range !== DEFAULTS.range) writeRange(parameters, '', range);
  if (compare !== undefined) writeRange(parameters, 'compare_', compare);
  if (stack !== DEFAULTS.stack) parameters.set('by', stack);
  if (measure !== DEFAULTS.measure) parameters.set('measure', measure);
  if (latency !== DEFAULTS.latency) parameters.set('latency', latency);
  for (const [dimension, values = []] of Object.entries(filters)) {
    for (const value of values) parameters.append(dimension, value);
  }
  const { sort, descending, search: wanted, page } = table;
  if (sort !== undefined) parameters.set('sort', `${descending ? '-' : ''}${sort}`);
  if (wanted !== '') parameters.set('search', wanted);
  if (page > 0) parameters.set('page', String(page + 1));
  const search = parameters.toString();
  return search === '' ? '' : `?${search}`;
}

/** No values: no filter. */
export function withFilter(view: View, dimension: Dimension, values: readonly string[]): View {
  const { [dimension]: _, ...filters } = view.filters;
  return {
    ...view,
    filters: values.length > 0 ? { ...filters, [dimension]: values } : filters,
    table: { ...view.table, page: 0 },
  };
}

function rangeOf(parameters: URLSearchParams, prefix: string): Range | undefined {
  const from = Date.parse(parameters.get(`${prefix}from`) ?? '');
  const to = Date.parse(parameters.get(`${prefix}to`) ?? '');
  if (to > from) return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  return oneOf(parameters.get(`${prefix}range`), [...presets, ...calendar]);
}

function writeRange(parameters: URLSearchParams, prefix: string, range: Range): void {
  if (typeof range === 'string') return parameters.set(`${prefix}range`, range);
  parameters.set(`${prefix}from`, range.from);
  parameters.set(`${prefix}to`, range.to);
}

function oneOf<T extends string>(value: string | null, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}
