import assert from 'node:assert/strict';
import { stopBudgets } from '../../src/budgets/budgets-in-force.ts';
import { flush, TokenMeterInstrumentation, type UsageRecord } from '../../src/index.ts';
import { startTelemetry, type TestTelemetry } from './telemetry.ts';

/** The instrumentation in an application with OpenTelemetry, and its records. */
export interface RecordedCalls {
  readonly telemetry: TestTelemetry;
  readonly instrumentation: TokenMeterInstrumentation;
  readonly records: UsageRecord[];
  /** Record and span of the only call. Fails if there is none or more than one. */
  only(): Promise<UsageRecord>;
  reset(): void;
  close(): Promise<void>;
}

export function startRecording(): RecordedCalls {
  const telemetry = startTelemetry();
  const records: UsageRecord[] = [];
  const instrumentation = new TokenMeterInstrumentation({
    onUsage: (record) => records.push(record),
  });
  return {
    telemetry,
    instrumentation,
    records,
    async only() {
      await flush();
      assert.equal(records.length, 1);
      assert.equal(telemetry.spans().length, 1);
      return records[0] as UsageRecord;
    },
    reset() {
      records.length = 0;
      telemetry.reset();
    },
    async close() {
      instrumentation.disable();
      await stopBudgets();
      await telemetry.close();
    },
  };
}
