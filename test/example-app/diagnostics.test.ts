import assert from 'node:assert/strict';
import { diag } from '@opentelemetry/api';
import { printDiagnostics } from '../../example-app/diagnostics.ts';

describe('diagnostics of the example app', () => {
  afterEach(() => diag.disable());

  it('prints each kind of failure once a minute', () => {
    const lines: string[] = [];
    let time = 0;
    printDiagnostics(
      {},
      (line) => lines.push(line),
      () => time,
    );
    const failure = 'token-meter usage: InfluxDB at http://127.0.0.1:8086 does not answer';
    diag.warn(failure);
    diag.warn(failure);
    diag.error('another');
    diag.info('not a failure');
    assert.deepEqual(lines, [failure, 'another']);
    time = 60_001;
    diag.warn(failure);
    assert.equal(lines.length, 3);
  });

  it('leaves it to the SDK where OTEL_LOG_LEVEL is set', () => {
    const lines: string[] = [];
    printDiagnostics({ OTEL_LOG_LEVEL: 'error' }, (line) => lines.push(line));
    diag.error('x');
    assert.deepEqual(lines, []);
  });
});
