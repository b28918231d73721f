import type { Setting } from '../setting.ts';

/** Limits of what calls may cost. */
export const budgets: readonly Setting[] = [
  {
    key: 'budgets',
    path: 'budgets',
    block: 'distribution',
    kind: { type: 'budgets' },
    env: ['TOKEN_METER_BUDGETS'],
    default: [],
    description:
      'Budgets; see docs/budgets.md. A budget of the settings store wins over one of the same id here.',
  },
];
