import type { MetricsConfig } from '../../config/index.ts';

export interface DestinationContext {
  readonly config: MetricsConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether to write a test record. */
  readonly write: boolean;
  /** Whether what waits for other destinations is sent to this one. */
  readonly sendBacklog: boolean;
}
