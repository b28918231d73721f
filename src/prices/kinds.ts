import { BILLED_KINDS, type BilledUsage } from '../domain/billed-usage.ts';

/** Anything that has a price: a count of `BilledUsage`. */
export type PricedKind = keyof BilledUsage;

/** The same as `KINDS_IN_FILE`, for the compiler. */
type KindOfFile = Exclude<
  PricedKind,
  `billed${string}` | `advisor${string}` | 'acceptedPredictionTokens' | 'rejectedPredictionTokens'
>;
type Counted = 'Tokens' | 'Seconds' | 'Characters';

/** Keys of a price file for what is counted in this unit: `audioInputTokens` has the key `audioInput`. */
export type KeyInFile<Unit extends Counted> = KindOfFile extends infer Kind
  ? Kind extends `${infer Key}${Unit}`
    ? Key
    : never
  : never;
/** Keys for what is counted in uses, such as `webSearches`. */
export type UseInFile = Exclude<KindOfFile, `${string}${Counted}`>;

/** How a kind is named and priced in a price file. */
interface KindInFile {
  readonly member: PriceMember;
  readonly key: string;
}

/** Members of an entry of the price file. */
export type PriceMember = 'perMillionTokens' | 'perThousand' | 'perMinute' | 'perMillionCharacters';

/** `amount`: a price in this unit times this is the price of a million counts. */
export const PRICE_MEMBERS: Readonly<
  Record<PriceMember, { readonly amount: number; readonly unit: string }>
> = {
  perMillionTokens: { amount: 1, unit: 'per million tokens' },
  perThousand: { amount: 1000, unit: 'per thousand' },
  perMinute: { amount: 1e6 / 60, unit: 'per minute' },
  perMillionCharacters: { amount: 1, unit: 'per million characters' },
};

/** Counts of a call that have the price of another kind, or of another model: no separate kinds. */
const NOT_PRICED = /^(?:billed|advisor)/;

/** All kinds, as their prices are shown. */
export const PRICED_KINDS: readonly PricedKind[] = [
  'inputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
  ...BILLED_KINDS.map(({ field }) => field).filter((field) => !NOT_PRICED.test(field)),
];

/** Kinds whose price is that of another one in every contract and every list. */
const AS_OUTPUT: ReadonlySet<PricedKind> = new Set([
  'acceptedPredictionTokens',
  'rejectedPredictionTokens',
]);

/** Kinds that a price file can name. */
export const KINDS_IN_FILE: ReadonlyMap<PricedKind, KindInFile> = new Map(
  PRICED_KINDS.filter((kind) => !AS_OUTPUT.has(kind)).map((kind) => [kind, kindInFile(kind)]),
);

function kindInFile(kind: PricedKind): KindInFile {
  for (const [ending, member] of [
    ['Tokens', 'perMillionTokens'],
    ['Seconds', 'perMinute'],
    ['Characters', 'perMillionCharacters'],
  ] as const) {
    if (kind.endsWith(ending)) return { member, key: kind.slice(0, -ending.length) };
  }
  return { member: 'perThousand', key: kind };
}

/** The kind that includes this one, whose price applies where this one has none. */
export function parentOf(kind: PricedKind): PricedKind | undefined {
  switch (kind) {
    case 'cacheReadTokens':
    case 'cacheWriteTokens':
      return 'inputTokens';
    case 'reasoningTokens':
      return 'outputTokens';
    default:
      return BILLED_KINDS.find(({ field }) => field === kind)?.within;
  }
}

export function isTokenKind(kind: PricedKind): boolean {
  return kind.endsWith('Tokens');
}

/** `webSearches` → `web_searches`. */
export function kindName(kind: PricedKind): string {
  return kind.replace(/([a-z])([A-Z0-9])/g, '$1_$2').toLowerCase();
}

/** The price of a million counts as a price in the unit of the kind: 2.5 `per million tokens`. */
export function inUnit(
  kind: PricedKind,
  usdPerMillion: number,
): { readonly usd: number; readonly unit: string } {
  const { amount, unit } = PRICE_MEMBERS[kindInFile(kind).member];
  // Divisions by 60 and 3600 leave digits that no price has.
  return { usd: Number((usdPerMillion / amount).toPrecision(12)), unit };
}

/** A price in the unit of the kind times this is the price of a million counts. */
export function millionsOfUnit(kind: PricedKind): number {
  return PRICE_MEMBERS[kindInFile(kind).member].amount;
}

const MODALITIES = [
  ['audioInputTokens', 'audioCacheReadTokens'],
  ['imageInputTokens', 'imageCacheReadTokens'],
  ['videoInputTokens', 'videoCacheReadTokens'],
] as const satisfies readonly (readonly [PricedKind, PricedKind])[];

/**
 * The counts of a call without overlap, so that each is billed once: cached audio, for example, is part
 * of the audio, of the cache reads and of the input. Predicted output stays in the output. Kinds that
 * were not used are absent. A part larger than its whole is cut to it.
 */
export function disjointUsage(usage: BilledUsage): ReadonlyMap<PricedKind, number> {
  const counts = new Map<PricedKind, number>();
  const take = (kind: PricedKind, from: { left: number }): void => {
    const amount = Math.min(usage[kind] ?? 0, from.left);
    from.left -= amount;
    if (amount > 0) counts.set(kind, amount);
  };
  const input = { left: usage.inputTokens ?? 0 };
  const read = { left: Math.min(usage.cacheReadTokens ?? 0, input.left) };
  input.left -= read.left;
  const written = { left: Math.min(usage.cacheWriteTokens ?? 0, input.left) };
  input.left -= written.left;
  for (const [kind, cached] of MODALITIES) {
    const whole = { left: usage[kind] ?? 0 };
    const before = read.left;
    take(cached, read);
    whole.left = Math.max(0, whole.left - (before - read.left));
    const amount = Math.min(whole.left, input.left);
    input.left -= amount;
    if (amount > 0) counts.set(kind, amount);
  }
  take('cacheWrite1hTokens', written);
  const output = { left: usage.outputTokens ?? 0 };
  take('reasoningTokens', output);
  take('audioOutputTokens', output);
  take('imageOutputTokens', output);
  take('videoOutputTokens', output);
  for (const [kind, { left }] of [
    ['inputTokens', input],
    ['cacheReadTokens', read],
    ['cacheWriteTokens', written],
    ['outputTokens', output],
  ] as const) {
    if (left > 0) counts.set(kind, left);
  }
  for (const { field, within } of BILLED_KINDS) {
    const amount = usage[field] ?? 0;
    if (within === undefined && amount > 0) counts.set(field, amount);
  }
  return counts;
}
