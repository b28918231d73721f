/** `exact`: what the provider would bill. `estimated`: anything less certain. */
export type Quality = 'exact' | 'estimated';

/** A sum is exact only when all of its parts are. */
export function weakest(a: Quality, b: Quality): Quality {
  return a === 'exact' ? b : a;
}
