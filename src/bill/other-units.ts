import type { Sums } from './sums.ts';

type Days = ReadonlyMap<string, Sums>;

const IN_TOKENS = /_tokens$/;
/** Usage of models that some providers report in place of tokens. */
const OTHER_UNITS = ['generated_images', 'audio_input_seconds', 'input_characters'];

/**
 * The kinds of a model that both sides can have. Providers report images and audio of a model by their number or
 * length alone, where its replies have tokens: neither is a gap.
 */
export function comparableKinds(
  kinds: readonly string[],
  bill: Days,
  ledger: Days,
): readonly string[] {
  const inBill = usedKinds(bill);
  const units = OTHER_UNITS.filter((unit) => inBill.has(unit));
  if (units.length === 0 || [...inBill].some((kind) => IN_TOKENS.test(kind))) return kinds;
  const recorded = usedKinds(ledger);
  if (![...recorded].some((kind) => IN_TOKENS.test(kind))) return kinds;
  return kinds.filter(
    (kind) => !IN_TOKENS.test(kind) && (recorded.has(kind) || !units.includes(kind)),
  );
}

function usedKinds(days: Days): ReadonlySet<string> {
  return new Set(
    [...days.values()].flatMap(({ quantities }) =>
      [...quantities].flatMap(([kind, amount]) => (amount === 0 ? [] : kind)),
    ),
  );
}
