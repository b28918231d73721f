export { TokenMeterError } from './errors.ts';
export type { ErrorCode, ErrorDetails } from './errors.ts';
export type {
  Outcome,
  TokenSource,
  TokenUsage,
  UsageAttributeValue,
  UsageRecord,
} from './usage/usage-record.ts';
