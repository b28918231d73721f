import { z } from 'zod';
import { metricsSettings, parseScopedName } from 'otel-token-meter/settings';

/** RFC 9457. */
export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string(),
    code: z.string().optional().describe('Stable machine-readable code'),
    errors: z
      .array(
        z.looseObject({
          pointer: z.string().optional().describe('JSON pointer into the body'),
          parameter: z.string().optional().describe('Name of the path, query or header parameter'),
          code: z.string(),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem' });

export const signIn = z.strictObject({
  token: z.string().min(1).max(512),
  replace: z.boolean().default(false).describe('Also when somebody else is signed in here'),
});

export const otherSession = problem
  .extend({ name: z.string().describe('Who is signed in'), new_name: z.string() })
  .meta({ id: 'OtherSession' });

const teams = z
  .array(z.string())
  .optional()
  .describe('A viewer of these teams alone sees nothing of others; absent: of all teams.');

export const signedIn = z.strictObject({
  name: z.string(),
  role: z.enum(['viewer', 'admin']),
  teams,
  expires_at: z.iso.datetime(),
});

export const whoAmI = z.strictObject({
  name: z.string().nullable(),
  role: z.enum(['viewer', 'admin']).nullable(),
  teams,
});

type Switch = 'enabled' | 'token_statistics';

const ofScope =
  'The same for the calls of one team or service, as enabled@team:NAME or token_statistics@service:NAME; that of a ' +
  'team comes before that of a service, and both before that of all calls';

/** The current settings. */
export const settingsDocument = z
  .object(settingsShape((type) => type) as { readonly [K in Switch]: z.ZodBoolean })
  .catchall(z.boolean().describe(ofScope))
  .meta({ id: 'MetricsSettings' });

/** RFC 7396. `null` resets to the configured default; of a team or service, to what all calls have. */
export const settingsPatch = z
  .object(
    settingsShape((type) => type.nullable().optional()) as {
      readonly [K in Switch]: z.ZodOptional<z.ZodNullable<z.ZodBoolean>>;
    },
  )
  .catchall(z.unknown().describe(`${ofScope}; true, false or null`))
  .superRefine((patch, context) => {
    for (const [name, value] of Object.entries(patch)) {
      if (Object.hasOwn(metricsSettings, name)) continue;
      if (!Object.hasOwn(metricsSettings, parseScopedName(name)?.key ?? '')) {
        context.addIssue({ code: 'unrecognized_keys', keys: [name], input: patch });
      } else if (value !== null && typeof value !== 'boolean') {
        const message = 'must be true, false or null';
        context.addIssue({ code: 'invalid_type', expected: 'boolean', path: [name], message });
      }
    }
  });

const time = z.iso.datetime();
const version = z.int().nonnegative();
/** Names of other releases too, whose values may be anything. */
const values = z.record(z.string(), z.unknown());

export const auditLog = z.strictObject({
  entries: z.array(
    z.strictObject({
      version,
      epoch: z.string().optional().describe('That the version counts in'),
      time,
      actor: z.string(),
      action: z.enum(['change', 'restore', 'adopt', 'end']),
      reason: z.string().optional(),
      until: time.optional().describe('When the change ends by itself'),
      from: values,
      to: values,
      undo: values.describe('Merge patch that reverts this change'),
    }),
  ),
});

export const passingChanges = z.strictObject({
  changes: z.array(
    z.strictObject({
      name: z.string(),
      until: time,
      value: z.unknown().describe('For the time; null: that of the configuration'),
      after: z.unknown().describe('What comes back; null: the value of the configuration'),
      by: z.string(),
    }),
  ),
});

export const instanceList = z.strictObject({
  version: version.describe('Version at the responding instance'),
  epoch: z.string().describe('Versions of different epochs are not comparable'),
  instances: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      host: z.string(),
      pid: z.int(),
      version,
      epoch: z.string().optional(),
      state: z.enum(['ready', 'stale', 'unknown']),
      started_at: time,
      uptime_seconds: z.int(),
      last_seen_at: time,
      details: z.unknown().optional().describe('For example the status of the exporter'),
    }),
  ),
});

/** Derived from the definitions that the settings service validates with. */
function settingsShape(member: (type: z.ZodBoolean) => z.ZodType): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(metricsSettings).map(([key, { description }]) => [
      key,
      member(z.boolean()).describe(description),
    ]),
  );
}
