import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { runApp } from '../support/run-app.ts';

const APP = fileURLToPath(new URL('../providers/apps/refused-models.mjs', import.meta.url));
const REFUSED = 'budget_exceeded';

/** Their exports cannot be set, unlike those of packages that are imported. */
describe('AI SDK packages that are ES modules, loaded by require()', () => {
  it('have models whose calls budgets refuse before anything is sent', async () => {
    const { code, out, err } = await runApp(APP);
    assert.equal(code, 0, err);
    assert.deepEqual(JSON.parse(out), { sent: 0, codes: [REFUSED, REFUSED, REFUSED] });
  });
});
