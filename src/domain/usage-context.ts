import type { UsageAttributeValue } from './usage-record.ts';

export interface UsageContext {
  /** End user of the calls made inside. */
  readonly userId?: string | undefined;
  readonly conversationId?: string | undefined;
  /** Extra tags and fields of the records. */
  readonly attributes?: Readonly<Record<string, UsageAttributeValue>> | undefined;
}
