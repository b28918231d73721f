export { TokenMeterError } from '../errors.ts';
export { DEFAULT_IDENTITY } from './identity.ts';
export { OtlpIngest } from './otlp-ingest.ts';
export type { IngestIdentity } from './identity.ts';
export type { IngestCounts, IngestLedger, OtlpIngestOptions } from './otlp-ingest.ts';
export type { OtlpSignal } from './otlp-messages.ts';
