import { z } from 'zod';

/** RFC 9457. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string().optional().describe('Stable name of the problem for programs'),
  errors: z
    .array(
      z.looseObject({
        pointer: z.string().optional().describe('JSON pointer into the body'),
        parameter: z.string().optional().describe('Name of the path or query parameter'),
        code: z.string(),
        detail: z.string(),
      }),
    )
    .optional(),
});

export const signIn = z.strictObject({ token: z.string().min(1).max(512) });

export const signedIn = z.strictObject({
  name: z.string(),
  role: z.enum(['viewer', 'admin']),
  expires_at: z.iso.datetime(),
});

export const whoAmI = z.strictObject({
  name: z.string().nullable(),
  role: z.enum(['viewer', 'admin']).nullable(),
});
