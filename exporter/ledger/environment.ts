import { resolvedAttributes } from '../../src/otel/resolved-resource.ts';
import type { UsageLogRecord } from './usage-event.ts';

/** `deployment.environment.name` of the resource. */
export function environmentOf({ resource }: UsageLogRecord): string | undefined {
  const attributes = resolvedAttributes(resource);
  // The second is the name before conventions 1.27.
  const value = attributes['deployment.environment.name'] ?? attributes['deployment.environment'];
  return typeof value === 'string' ? value : undefined;
}
