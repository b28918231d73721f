import { z } from 'zod';
import { type ApiRoute, apiRoute } from './api-route.ts';

/** One part of the application, for `/readyz`. */
export interface Readiness {
  /** False takes the instance out of the load balancer: only for what it cannot answer without. */
  readonly ready: boolean;
  /** It answers, but not everything works as it should. @default false */
  readonly degraded?: boolean;
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
  status: z.enum(['ready', 'degraded', 'not_ready', 'stopping']),
  checks: z.record(z.string(), z.strictObject({ ready: z.boolean(), state: z.string() })),
});

/** Open to anyone: probes have no token, and the responses contain no secrets. */
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
        const found = Object.entries(checks).map(([name, check]) => [name, check()] as const);
        const ready = found.every(([, part]) => part.ready);
        const degraded = found.some(([, part]) => part.degraded === true);
        const status = ready ? (degraded ? 'degraded' : 'ready') : 'not_ready';
        const isStopping = stopping?.aborted === true;
        ctx.status = ready && !isStopping ? 200 : 503;
        ctx.body = {
          status: isStopping ? 'stopping' : status,
          checks: Object.fromEntries(
            found.map(([name, part]) => [name, { ready: part.ready, state: part.state }]),
          ),
        };
      },
    }),
  ];
}
