import { z } from 'zod';

/** The answer of `GET /api/budgets/status`. */

export const budgetAccount = z.strictObject({
  budget: z.string().describe('Its id'),
  key: z
    .record(z.string(), z.string().nullable())
    .describe('Whose account: {"user": "alice"}; null for calls without a value'),
  mode: z.enum(['warn', 'block']),
  unit: z.enum(['usd', 'tokens', 'calls']).describe('Of all amounts here'),
  limit: z.number(),
  spent: z.number().describe('By all instances in this window'),
  reserved: z.number().describe('Set aside for running calls'),
  remaining: z.number(),
  from: z.iso.datetime().describe('Begin of the window'),
  resets_at: z.iso.datetime().describe('Of a rolling window: when its oldest part is forgotten'),
  blocked: z.boolean().describe('A call made now would be refused'),
  stale: z.boolean().describe('The store does not answer: what this instance knows'),
});

export const budgetAccounts = z.strictObject({ accounts: z.array(budgetAccount) });
