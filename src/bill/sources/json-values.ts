import { isObject } from '../../tokens/json.ts';

export function textAt(value: unknown, key: string): string | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'string' && inner !== '' ? inner : undefined;
}

export function numberAt(value: unknown, key: string): number | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'number' && Number.isFinite(inner) ? inner : undefined;
}

/** An amount, which APIs give as a number or as a decimal text. */
export function amountAt(value: unknown, key: string): number | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  if (typeof inner !== 'string' || !/^-?\d+(\.\d+)?$/.test(inner)) return numberAt(value, key);
  return Number(inner);
}
