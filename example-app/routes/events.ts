import { z } from 'zod';
import { lastEventId } from './api-headers.ts';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { eventSchema } from './event-stream.ts';
import { type EventTopic, TOO_MANY_STREAMS, watchTopics } from './watchers.ts';

/** `GET /api/events`: all topics in one stream, since a browser has six connections for all its tabs. */
export function eventsRoute(topics: readonly EventTopic[]): ApiRoute {
  return apiRoute({
    method: 'get',
    path: '/api/events',
    summary: 'All events of settings, budgets and usage in one stream',
    role: 'viewer',
    headers: z.object(lastEventId),
    answers: {
      200: {
        description: 'Server-sent events; the id is the version of the settings',
        schema: eventSchema(
          'settings',
          'status',
          'instances',
          'budgets',
          'budgets_status',
          'budgets_instances',
          'usage',
          'health',
          'end',
        ),
        type: 'text/event-stream',
      },
      503: TOO_MANY_STREAMS,
    },
    handle(ctx) {
      watchTopics(ctx, topics);
    },
  });
}
