import { z } from 'zod';
import {
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
  createDocument,
} from 'zod-openapi';
import { SESSION_COOKIE } from '../middleware/session-cookie.ts';
import { problem } from '../schemas.ts';
import { allow, retryAfter, wwwAuthenticate } from './api-headers.ts';
import type { ApiAnswer } from './api-answer.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';

export interface ApiDescription {
  readonly title: string;
  readonly version: string;
}

/** `/openapi.json`: all routes, itself included. */
export function openApiRoute(routes: readonly ApiRoute[], description: ApiDescription): ApiRoute {
  const route = apiRoute({
    method: 'get',
    path: '/openapi.json',
    summary: 'This description, OpenAPI 3.1',
    role: 'anyone',
    answers: { 200: { description: 'The description', schema: z.looseObject({}) } },
    handle(ctx) {
      ctx.body = document;
    },
  });
  const document = openApiDocument([...routes, route], description);
  return route;
}

/** Made of the schemas that validate the requests, so that the two cannot come apart. */
function openApiDocument(routes: readonly ApiRoute[], { title, version }: ApiDescription): object {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route);
  return createDocument({
    openapi: '3.1.0',
    info: { title, version },
    paths: paths as ZodOpenApiPathsObject,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
      },
    },
  });
}

function operationOf(route: ApiRoute): ZodOpenApiOperationObject {
  const { method, path, summary, role, params, query, headers, body, bytes, answers } = route;
  const described = Object.entries(answers).map(([status, answer]) => [
    status,
    answerOf(Number(status), answer),
  ]);
  return {
    operationId: operationIdOf(method, path),
    summary,
    ...(role === 'anyone' ? {} : { security: [{ bearer: [] }, { session: [] }], 'x-role': role }),
    requestParams: {
      ...(params && { path: params as z.ZodObject }),
      ...(query && { query: query as z.ZodObject }),
      ...(headers && { header: conventional(headers as z.ZodObject) }),
    },
    ...(body && {
      requestBody: {
        required: true,
        content: contentOf(['application/json', ...(body.types ?? [])], body.schema),
      },
    }),
    ...(bytes && {
      requestBody: { required: true, content: contentOf(bytes.types, z.looseObject({})) },
    }),
    responses: {
      ...errorsOf(route),
      ...Object.fromEntries(described),
    } as ZodOpenApiResponsesObject,
  };
}

function operationIdOf(method: string, path: string): string {
  const words = path.split(/[^a-z0-9]+/i).filter((word) => word !== '' && word !== 'api');
  return [method, ...words.map((word) => word[0]!.toUpperCase() + word.slice(1))].join('');
}

function answerOf(status: number, answer: ApiAnswer): ZodOpenApiResponseObject {
  const { description, schema, also = {}, headers } = answer;
  const isProblem = status >= 400 && answer.type === undefined;
  const type = answer.type ?? (isProblem ? PROBLEM_TYPE : 'application/json');
  const body = schema ?? (isProblem ? problem : undefined);
  const content = {
    ...(body && contentOf([type], body)),
    ...Object.fromEntries(Object.entries(also).map(([other, of]) => [other, { schema: of }])),
  };
  return {
    description,
    ...(headers && { headers: conventional(headers) }),
    ...(Object.keys(content).length > 0 && { content }),
  };
}

/** Headers as they are usually written. Routes have them in lower case, as Node does. */
function conventional({ shape }: z.ZodObject): z.ZodObject {
  const cased = (name: string): string =>
    CASED[name] ?? name.replaceAll(/(?:^|-)\w/g, (start) => start.toUpperCase());
  return z.object(
    Object.fromEntries(Object.entries(shape).map(([name, schema]) => [cased(name), schema])),
  );
}

function contentOf(types: readonly string[], schema: z.ZodType) {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

const CASED: Readonly<Record<string, string>> = {
  etag: 'ETag',
  'last-event-id': 'Last-Event-ID',
  'www-authenticate': 'WWW-Authenticate',
};

const PROBLEM_TYPE = 'application/problem+json';

/** Errors that a route can answer with because of what it is, not of what it does. */
const ERRORS: Readonly<Record<number, ZodOpenApiResponseObject>> = {
  400: errorAnswer('BadRequest', 'The request cannot be read'),
  401: errorAnswer('Unauthorized', 'No token, or a wrong one', z.object({ ...wwwAuthenticate })),
  403: errorAnswer('Forbidden', 'Another role is needed, or the request comes from another site'),
  405: errorAnswer('MethodNotAllowed', 'The path has no such method', z.object({ ...allow })),
  413: errorAnswer('TooLarge', 'The body is too large'),
  415: errorAnswer('UnsupportedMediaType', 'The body is of another type'),
  422: errorAnswer('Invalid', '`errors` names each wrong parameter or member'),
  429: errorAnswer('TooManyRequests', 'Asked too often', z.object({ ...retryAfter })),
};

function errorAnswer(
  id: string,
  description: string,
  headers?: z.ZodObject,
): ZodOpenApiResponseObject {
  return {
    id,
    description,
    ...(headers && { headers: conventional(headers) }),
    content: { [PROBLEM_TYPE]: { schema: problem } },
  };
}

function errorsOf({ params, query, headers, body, bytes }: ApiRoute): ZodOpenApiResponsesObject {
  const isChecked = params ?? query ?? headers ?? body;
  // A wrong bearer token is refused everywhere, and too many of them.
  const statuses = [
    400,
    401,
    403,
    405,
    ...((body ?? bytes) ? [413, 415] : []),
    ...(isChecked ? [422] : []),
    429,
  ];
  return {
    ...Object.fromEntries(statuses.map((status) => [status, ERRORS[status]])),
    default: DEFAULT_ERROR,
  };
}

const DEFAULT_ERROR = errorAnswer('Error', 'Any other error, RFC 9457');
