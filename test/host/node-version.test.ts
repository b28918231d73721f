import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { nodeProblem } from '../../src/host/node-version.ts';

describe('the version of Node', () => {
  it('is fit from the one that package.json names', () => {
    const { engines } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { engines: { node: string } };
    const oldest = /(\d+)\.(\d+)/.exec(engines.node);
    const [major, minor] = [Number(oldest?.[1]), Number(oldest?.[2])];
    assert.equal(nodeProblem(`${major}.${minor}.0`), undefined);
    assert.equal(nodeProblem(`${major + 2}.0.0`), undefined);
    assert.equal(
      nodeProblem(`${major}.${minor - 1}.3`),
      `v${major}.${minor - 1}.3 is too old: ${major}.${minor} or newer is needed`,
    );
    assert.notEqual(nodeProblem(`${major - 2}.20.0`), undefined);
  });
});
