import { DIMENSION_VALUE_MAX, dimensionValue, TEAM } from '../domain/dimensions.ts';
import type { UsageContext } from '../domain/usage-context.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { warnOnce } from '../host/quietly.ts';

type Draft = Pick<{ -readonly [K in keyof UsageRecord]: UsageRecord[K] }, 'team' | 'dimensions'>;

/** Adds what the caller said of a call's team and of the dimensions that are configured (`names`). */
export function addDimensions(
  record: Draft,
  { team, dimensions }: UsageContext,
  names: readonly string[],
): void {
  if (team !== undefined) setIfKnown(record, 'team', valueOf(TEAM, team));
  if (dimensions !== undefined) setIfKnown(record, 'dimensions', configured(dimensions, names));
}

function configured(
  given: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, string>> | undefined {
  let known: Record<string, string> | undefined;
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      warnUnknown(name, names);
      continue;
    }
    const value = valueOf(name, given[name]);
    if (value !== undefined) (known ??= {})[name] = value;
  }
  return known;
}

export function valueOf(name: string, given: unknown): string | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  const sound = dimensionValue(given);
  if (sound === undefined) {
    warnOnce(
      `dimension ${name} ${typeof given}`,
      `a value of ${name} of type ${typeof given} is left out; allowed are texts, numbers, and ObjectId or UUID of BSON`,
    );
  } else if (sound.isCut) {
    warnOnce(
      `dimension ${name} cut`,
      `a value of ${name} is cut to ${DIMENSION_VALUE_MAX} characters`,
    );
  }
  return sound?.value;
}

function warnUnknown(name: string, names: readonly string[]): void {
  const shown = JSON.stringify(name.slice(0, 100));
  warnOnce(
    `dimension ${shown}`,
    name === TEAM
      ? 'a dimension "team" is left out of usage records: the team is a member beside the dimensions'
      : `the dimension ${shown} is left out of usage records; configured (setting dimensions): ${names.join(', ') || 'none'}`,
  );
}

function setIfKnown<K extends keyof Draft>(record: Draft, key: K, value: Draft[K]): void {
  if (value !== undefined) record[key] = value;
}
