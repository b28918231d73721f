import { z } from 'zod';
import { type ApiRoute, apiRoute } from './api-route.ts';

/** One part of the application, for `/readyz`. */
export interface Readiness {
  /** False takes the instance out of the load balancer: only for what it cannot answer without. */
  readonly ready: boolean;
  /** One word for people, `ok` or `stale` for one; no secret, no address. */
  readonly state: string;
}

export interface HealthRoutesOptions {
  readonly checks: Readonly<Record<string, () => Readiness>>;
  /** Aborted when the application shuts down: it finishes what runs and takes nothing new. */
  readonly stopping?: AbortSignal | undefined;
}

const health = z.strictObject({ status: z.literal('ok') });
const readiness = z.strictObject({
  status: z.enum(['ready', 'not_ready', 'stopping']),
  checks: z.record(z.string(), z.strictObject({ ready: z.boolean(), state: z.string() })),
});

/** Open to anyone: probes hold no token, and the answers tell nothing worth one. */
export function healthRoutes({ checks, stopping }: HealthRoutesOptions): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'get',
      path: '/healthz',
      summary: 'Whether the process answers',
      role: 'anyone',
      answers: { 200: { description: 'It does', schema: health } },
      handle(ctx) {
        ctx.body = { status: 'ok' };
      },
    }),
    apiRoute({
      method: 'get',
      path: '/readyz',
      summary: 'Whether this instance should get requests',
      role: 'anyone',
      answers: {
        200: { description: 'It should', schema: readiness },
        503: { description: 'It should not', schema: readiness },
      },
      handle(ctx) {
        const states = Object.entries(checks).map(([name, check]) => [name, check()] as const);
        const ready = states.every(([, state]) => state.ready);
        const serving = ready && stopping?.aborted !== true;
        ctx.status = serving ? 200 : 503;
        ctx.body = {
          status: stopping?.aborted ? 'stopping' : ready ? 'ready' : 'not_ready',
          checks: Object.fromEntries(states),
        };
      },
    }),
  ];
}
