import type { UsageContext } from '../domain/usage-context.ts';
import { ATTR } from '../otel/semconv.ts';
import type { Origin, ReceivedAttributes } from './received.ts';
import { textOf } from './values.ts';

/**
 * In which attributes senders name user, conversation, team and dimensions, the first that is present. The
 * attributes of the item come before those of its resource.
 */
export interface IngestIdentity {
  readonly user: readonly string[];
  readonly conversation: readonly string[];
  readonly team: readonly string[];
  /** By dimension. @default the attribute of the dimension's name */
  readonly dimensions: Readonly<Record<string, readonly string[]>>;
}

/** The names that the supported senders use. */
export const DEFAULT_IDENTITY: IngestIdentity = {
  user: [
    'user.id',
    'enduser.id',
    'user_id',
    'traceloop.association.properties.user_id',
    'ai.telemetry.metadata.userId',
    'ai.settings.context.userId',
    'langfuse.user.id',
    'user.email',
    'user.account_uuid',
    'user.account_id',
  ],
  conversation: [
    'gen_ai.conversation.id',
    'conversation.id',
    'session.id',
    'traceloop.association.properties.session_id',
    'ai.telemetry.metadata.conversationId',
    'ai.telemetry.metadata.sessionId',
    'langfuse.session.id',
  ],
  team: [ATTR.team, 'team', 'team.id', 'team_id', 'traceloop.association.properties.team'],
  dimensions: {},
};

/** User, conversation, team and dimensions of a reported call. */
export function identityOf(
  attributes: ReceivedAttributes,
  { resource }: Origin,
  identity: IngestIdentity,
  dimensionNames: readonly string[],
  agentName: string | undefined,
): UsageContext {
  const find = (names: readonly string[]): string | undefined =>
    textOf(attributes, ...names) ?? textOf(resource, ...names);
  const dimensions: Record<string, string> = {};
  for (const name of dimensionNames) {
    const value = find(identity.dimensions[name] ?? [`token_meter.dimension.${name}`, name]);
    if (value !== undefined) dimensions[name] = value;
  }
  const runId = find([ATTR.runId]);
  return {
    userId: find(identity.user),
    conversationId: find(identity.conversation),
    team: find(identity.team),
    dimensions,
    attributes: {
      ...(agentName !== undefined && { [ATTR.agentName]: agentName }),
      ...(runId !== undefined && { [ATTR.runId]: runId }),
    },
  };
}
