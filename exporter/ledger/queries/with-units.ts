import { unitsOf } from '../../../src/domain/billed-usage.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import type { UsageNumbers } from '../usage-query.ts';

/** The record with what it has beside tokens, by the names that sums have; as it is where it has nothing. */
export function withUnits<T extends Pick<UsageRecord, 'attributes'>>(
  record: T,
): T & Pick<UsageNumbers, 'units'> {
  const units = unitsOf(record);
  return units === undefined ? record : { ...record, units };
}
