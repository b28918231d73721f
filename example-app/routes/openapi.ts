import { z } from 'zod';
import { problem } from '../schemas.ts';
import { type ApiAnswer, type ApiRoute, apiRoute } from './api-route.ts';

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

/** Made of the schemas that check the requests, so that the two cannot come apart. */
function openApiDocument(routes: readonly ApiRoute[], { title, version }: ApiDescription): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: { title, version },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problem, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'token_meter_session' },
      },
    },
  };
}

function operationOf(route: ApiRoute): object {
  const { method, path, summary, role, params, query, body, answers } = route;
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query')];
  const described = Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)]);
  return {
    operationId: operationIdOf(method, path),
    summary,
    ...(role === 'anyone' ? {} : { security: [{ bearer: [] }, { session: [] }], 'x-role': role }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: true,
        content: contentOf(['application/json', ...(body.types ?? [])], body.schema, 'input'),
      },
    }),
    responses: {
      ...Object.fromEntries(described),
      default: {
        description: 'Every error, RFC 9457',
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    },
  };
}

function operationIdOf(method: string, path: string): string {
  const words = path.split(/[^a-z0-9]+/i).filter((word) => word !== '' && word !== 'api');
  return [method, ...words.map((word) => word[0]!.toUpperCase() + word.slice(1))].join('');
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...member }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: member,
  }));
}

function answerOf({ description, schema, type = 'application/json' }: ApiAnswer): object {
  return { description, ...(schema && { content: contentOf([type], schema, 'output') }) };
}

function contentOf(types: readonly string[], schema: z.ZodType, io: 'input' | 'output'): object {
  return Object.fromEntries(types.map((type) => [type, { schema: jsonSchema(schema, io) }]));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
  });
  return rest;
}
