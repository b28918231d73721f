import { readdirSync } from 'node:fs';
import { useSuite } from '../conformance/providers/provider-suite.ts';
import type { ProviderUnderTest } from '../conformance/providers/provider-under-test.ts';

const SUITE = new URL('../conformance/providers/', import.meta.url);

/**
 * Every SDK that the conformance suite drives, without its tests. Each client is of a different type. The
 * query makes another module of a file that Mocha has loaded in this process.
 */
export async function everyProvider(): Promise<readonly ProviderUnderTest<unknown>[]> {
  const sdks: ProviderUnderTest<unknown>[] = [];
  const scope = globalThis as { describe?: unknown };
  const { describe } = scope;
  scope.describe = () => undefined;
  const suite = useSuite((sdk) => void sdks.push(sdk as unknown as ProviderUnderTest<unknown>));
  try {
    const files = readdirSync(SUITE).filter((name) => name.endsWith('.test.ts'));
    for (const file of files.toSorted()) await import(new URL(`${file}?every`, SUITE).href);
  } finally {
    scope.describe = describe;
    useSuite(suite);
  }
  return sdks;
}
