/** Sums of a day and a model, of the ledger or of a bill. */
export interface Sums {
  readonly quantities: Map<string, number>;
  /** Nano-dollars; undefined if there is no cost at all. */
  cost: number | undefined;
  /** Lines or calls with a cost, each rounded once. */
  costLines: number;
}

export function emptySums(): Sums {
  return { quantities: new Map(), cost: undefined, costLines: 0 };
}

export function addQuantity({ quantities }: Sums, kind: string, amount: number): void {
  quantities.set(kind, (quantities.get(kind) ?? 0) + amount);
}

export function addCost(sums: Sums, nanoDollars: number): void {
  sums.cost = (sums.cost ?? 0) + nanoDollars;
  sums.costLines += 1;
}

export function addSums(to: Sums, from: Sums, factor: 1 | -1 = 1): void {
  for (const [kind, amount] of from.quantities) addQuantity(to, kind, factor * amount);
  if (from.cost === undefined) return;
  to.cost = (to.cost ?? 0) + factor * from.cost;
  to.costLines += from.costLines;
}

/** The value of a key, made if it is not there. */
export function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
