import { METHODS } from 'node:http';
import { Router } from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { z } from 'zod';
import type { Role } from '../middleware/access.ts';
import { callerOf, requireRole } from '../middleware/authentication.ts';
import { bytesBody } from '../middleware/bytes-body.ts';
import { bodyOf, jsonBody } from '../middleware/json-body.ts';
import { type RateLimit, type SharedLimit, rateLimit } from '../middleware/rate-limit.ts';
import type { ApiAnswer } from './api-answer.ts';
import { checked } from './checked.ts';
import type { EventTopic } from './watchers.ts';

interface Described {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As OpenAPI writes it: `/api/usage/conversations/{id}`. */
  readonly path: string;
  /** One line for `/openapi.json`. */
  readonly summary: string;
  /** Who may call it. An admin may do all that a viewer may. */
  readonly role: Role | 'anyone';
  /** Counted by name of the caller, or by address of nobody we know. */
  readonly limit?: RateLimit;
  /** What it streams, for the one stream of everything. */
  readonly topic?: EventTopic;
  /** By status. Errors that any route can answer with need no mention. */
  readonly answers: Readonly<Record<number, ApiAnswer>>;
}

interface Checked<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Headers extends z.ZodType,
> {
  /** Give strict objects: a typo must not look like success. */
  readonly params?: Params;
  readonly query?: Query;
  /** Headers that the route reads; not strict, since every request has others. */
  readonly headers?: Headers;
  readonly body?: {
    readonly schema: Body;
    readonly limitBytes: number;
    /** Media types besides `application/json`. */
    readonly types?: readonly string[];
  };
  /** A body that the route reads itself, as bytes: `bytesOf(ctx)`. */
  readonly bytes?: { readonly limitBytes: number; readonly types: readonly string[] };
}

export interface ApiInput<Params, Query, Body, Headers> {
  readonly params: Params;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Body;
}

/** One operation of the API: the schemas that check its requests are the ones it is described by. */
export interface ApiRoute extends Described, Checked<z.ZodType, z.ZodType, z.ZodType, z.ZodType> {
  readonly handle: Middleware;
}

/** `handle` sees only requests that the role, the limit and the schemas let through. */
export function apiRoute<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Headers extends z.ZodType = z.ZodUndefined,
>(
  route: Described &
    Checked<Params, Query, Body, Headers> & {
      readonly handle: (
        ctx: Context,
        input: ApiInput<z.output<Params>, z.output<Query>, z.output<Body>, z.output<Headers>>,
      ) => unknown;
    },
): ApiRoute {
  const { params, query, headers, body, handle } = route;
  return {
    ...route,
    async handle(ctx: Context): Promise<void> {
      await handle(ctx, {
        params: checked(ctx, params, 'path', { ...ctx['params'] }) as z.output<Params>,
        query: checked(ctx, query, 'query', { ...ctx.query }) as z.output<Query>,
        headers: checked(ctx, headers, 'header', { ...ctx.headers }) as z.output<Headers>,
        body: checked(ctx, body?.schema, 'body', bodyOf(ctx)) as z.output<Body>,
      });
    },
  };
}

/** One router for all routes, so that a method that a path does not have is a 405. */
export function routerOf(routes: readonly ApiRoute[], shared?: SharedLimit): Router {
  // Every method that Node parses: one that a path does not have is a 405, never a 501.
  const router = new Router({ sensitive: true, strict: true, methods: [...METHODS] });
  for (const { method, path, role, limit, body, bytes, handle } of routes) {
    router[method](
      path.replaceAll(/\{(\w+)\}/g, ':$1'),
      ...(role === 'anyone' ? [] : [requireRole(role)]),
      ...(limit ? [rateLimit({ limit, keyOf: callerOf, name: `${method} ${path}`, shared })] : []),
      ...(body ? [jsonBody(body.limitBytes, body.types)] : []),
      ...(bytes ? [bytesBody(bytes.limitBytes, bytes.types)] : []),
      handle,
    );
  }
  return router;
}
