import { idFrom } from '../domain/id-from.ts';
import { tokenCount } from '../domain/token-counts.ts';
import type { ReceivedAttributes } from './received.ts';

/** The first of the attributes that is a non-empty text or a number. */
export function textOf(
  attributes: ReceivedAttributes,
  ...names: readonly string[]
): string | undefined {
  for (const name of names) {
    const text = idFrom(attributes[name]);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The first of the attributes that is a token count. Some senders write counts as texts. */
export function countOf(
  attributes: ReceivedAttributes,
  ...names: readonly string[]
): number | undefined {
  for (const name of names) {
    const count = tokenCount(numberFrom(attributes[name]));
    if (count !== undefined) return count;
  }
  return undefined;
}

/** The first of the attributes that is a finite number from 0. */
export function amountOf(
  attributes: ReceivedAttributes,
  ...names: readonly string[]
): number | undefined {
  for (const name of names) {
    const amount = numberFrom(attributes[name]);
    if (amount !== undefined && amount >= 0) return amount;
  }
  return undefined;
}

function numberFrom(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}
