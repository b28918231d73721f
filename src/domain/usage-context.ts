import type { UsageAttributeValue } from './usage-record.ts';

export interface UsageContext {
  /** End user of the calls made in this context. */
  readonly userId?: string | undefined;
  readonly conversationId?: string | undefined;
  readonly team?: string | undefined;
  /** Values of the dimensions that are configured, by name: `{ feature: 'search' }`. */
  readonly dimensions?: Readonly<Record<string, string | undefined>> | undefined;
  /** Custom attributes of the records. */
  readonly attributes?: Readonly<Record<string, UsageAttributeValue>> | undefined;
}
