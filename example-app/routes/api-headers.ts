import { z } from 'zod';

/** Headers of requests and answers, for schemas of routes. Names are lower case, as Node has them. */

export const etag = { etag: z.string().describe('Of the version in the answer') };

export const ifNoneMatch = {
  'if-none-match': z
    .string()
    .max(1000)
    .optional()
    .describe('ETags that the client has; 304 if one of them is current'),
};

export const ifMatch = {
  'if-match': z
    .string()
    .max(1000)
    .optional()
    .describe('ETag or version that the change is based on; 412 if it is not current'),
};

export const lastEventId = {
  'last-event-id': z
    .string()
    .max(100)
    .optional()
    .describe('Id of the last event that the client has seen; sent by browsers at a reconnect'),
};

export const retryAfter = { 'retry-after': z.string().describe('Seconds to wait') };

export const wwwAuthenticate = { 'www-authenticate': z.string() };

export const allow = { allow: z.string().describe('Methods that the path has') };
