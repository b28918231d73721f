import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { runApp } from '../support/run-app.ts';

const APP = fileURLToPath(new URL('../register/apps/switched-service.mjs', import.meta.url));

/**
 * The name of the service was read from spans that are recorded alone. Where there were none it came from the
 * environment; where there were, a span was begun to ask it, and never ended.
 */
describe('the switch of a service that its SDK was given in code', () => {
  const ENVIRONMENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'spans are exported': {},
    'no spans are exported': { OTEL_TRACES_EXPORTER: 'none' },
    'no span is sampled': { OTEL_TRACES_SAMPLER: 'always_off' },
    'some spans are sampled': {
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
    },
  };
  for (const [what, env] of Object.entries(ENVIRONMENTS)) {
    it(`holds where ${what}, from the first call`, async () => {
      const exporters = { OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };
      const { code, out, err } = await runApp(APP, { env: { ...exporters, ...env } });
      assert.equal(code, 0, err);
      assert.deepEqual(JSON.parse(out), { off: [], on: ['tides'], hasLookedUp: false });
    });
  }
});
