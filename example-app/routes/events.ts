import { z } from 'zod';
import { type ApiRoute, apiRoute } from './api-route.ts';
import { type EventTopic, watchTopics } from './watchers.ts';

/** `GET /api/events`: all topics in one stream, since a browser has six connections for all its tabs. */
export function eventsRoute(topics: readonly EventTopic[]): ApiRoute {
  return apiRoute({
    method: 'get',
    path: '/api/events',
    summary: 'All events of `/api/settings/metrics/events` and `/api/usage/events` in one stream',
    role: 'viewer',
    answers: {
      200: {
        description: 'Server-sent events; the id is the version of the settings',
        schema: z.string(),
        type: 'text/event-stream',
      },
    },
    handle(ctx) {
      watchTopics(ctx, topics);
    },
  });
}
