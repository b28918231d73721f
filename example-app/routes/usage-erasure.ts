import type { EraseResult } from 'otel-token-meter/exporter';
import { z } from 'zod';
import { identityOf } from '../middleware/authentication.ts';
import { RateLimit } from '../middleware/rate-limit.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { fromReader, sendJson, UNAVAILABLE } from './usage-answers.ts';
import { flag } from './usage-parameters.ts';
import { usageErasure } from './usage-schemas.ts';

/** Each walks through the ledger. */
const ERASURES_PER_MINUTE = 10;

/** Deletes the calls of a user. */
export type EraseUser = (order: {
  readonly userId: string;
  readonly dryRun: boolean;
  readonly by: string;
}) => Promise<EraseResult>;

export function erasureRoute(erase: EraseUser): ApiRoute {
  return apiRoute({
    method: 'delete',
    path: '/api/usage/users',
    summary: 'Delete every recorded call of a user; this cannot be undone',
    role: 'admin',
    limit: new RateLimit({ perMinute: ERASURES_PER_MINUTE }),
    // Not in the path: browsers take away the segments . and ..
    query: z.strictObject({
      user: z.string().min(1).max(1024).describe('As in the ledger.'),
      dry_run: flag.describe('true only counts the calls.'),
    }),
    answers: {
      200: { description: 'How many calls there were and how many are gone', schema: usageErasure },
      503: UNAVAILABLE,
    },
    async handle(ctx, { query: { user: userId, dry_run: isDry } }) {
      const dryRun = isDry === 'true';
      const by = identityOf(ctx)?.name ?? 'unknown';
      // Not ended with the request: half of a user's calls help nobody.
      const result = await fromReader(ctx, () => erase({ userId, dryRun, by }));
      await sendJson(ctx, result);
    },
  });
}
