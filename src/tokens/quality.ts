/** `exact`: what the provider would bill. `estimated`: anything less sure than that. */
export type Quality = 'exact' | 'estimated';

/** A sum is only as sure as its least sure part. */
export function weakest(a: Quality, b: Quality): Quality {
  return a === 'exact' ? b : a;
}
