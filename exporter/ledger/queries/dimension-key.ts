import { isDimensionName } from '../../../src/domain/dimensions.ts';
import type { DimensionKey } from '../usage-query.ts';

const PREFIX = 'dimension.';

/** Key of a dimension in groups and rows: `dimension.feature`. */
export function dimensionKey(name: string): DimensionKey {
  return `${PREFIX}${name}`;
}

/** `feature` of `dimension.feature`; undefined for every other key. */
export function dimensionOfKey(key: string): string | undefined {
  const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : '';
  return isDimensionName(name) ? name : undefined;
}

export function isDimensionKey(key: string): key is DimensionKey {
  return dimensionOfKey(key) !== undefined;
}
