import { createRequire } from 'node:module';
import type * as Engine from './budget-engine.ts';

let loaded: typeof Engine | undefined;

/** Loaded lazily: most processes have no budgets. The build inlines it. */
export function budgetEngine(): typeof Engine {
  loaded ??= createRequire(import.meta.url)('./budget-engine.ts') as typeof Engine;
  return loaded;
}
