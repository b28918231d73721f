import assert from 'node:assert/strict';
import { exportVariable } from '../../src/config/export-variable.ts';

describe('standard variables that ask for an export', () => {
  for (const [env, variable] of [
    [{}, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    [
      { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://collector:4318/v1/logs' },
      'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
    ],
    [{ OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'None' }, undefined],
    [
      { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'prometheus' },
      'OTEL_METRICS_EXPORTER',
    ],
    [{ OTEL_LOGS_EXPORTER: 'otlp, console' }, 'OTEL_LOGS_EXPORTER'],
    [{ OTEL_SERVICE_NAME: 'tides', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }, undefined],
  ] as const) {
    it(`${JSON.stringify(env)}: ${variable ?? 'none'}`, () => {
      assert.equal(exportVariable(env), variable);
    });
  }
});
