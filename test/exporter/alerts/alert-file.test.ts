import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAlertRules } from '../../../exporter/alerts/alert-file.ts';

describe('readAlertRules', () => {
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-alerts-'));
    path = join(folder, 'alerts.json');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const rule = { name: 'day', metric: 'costUsd', windowMs: 86_400_000, alert: 50 };

  it('gives the rules of the file', async () => {
    const rules = [
      rule,
      { ...rule, name: 'user', by: 'user', warning: 5, filter: { model: 'gpt-4o' } },
    ];
    writeFileSync(path, JSON.stringify({ rules }));
    assert.deepEqual(await readAlertRules(path), rules);
  });

  const wrong: readonly [content: unknown, words: RegExp][] = [
    ['{', /cannot be read as JSON/],
    [[], /has no list "rules"/],
    [{ rules: [1] }, /rules\[0\] must be an object/],
    [{ rules: [{ ...rule, warnig: 1 }] }, /rules\[0\]\.warnig is unknown/],
    [{ rules: [{ ...rule, metric: 'tokens' }] }, /metric must be totalTokens/],
    [{ rules: [rule, rule] }, /name must be unique/],
    [{ rules: [{ ...rule, filter: { usr: 'a' } }] }, /rules\[0\]\.filter\.usr is unknown/],
    [{ rules: [rule], rule }, /has an unknown member "rule"/],
    [null, /has no list "rules"/],
    [{ rules: [{ ...rule, alert: undefined }] }, /warning must be given/],
  ];
  for (const [content, words] of wrong) {
    it(`refuses ${JSON.stringify(content)}`, async () => {
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      await assert.rejects(readAlertRules(path), { code: 'INVALID_CONFIG', message: words });
    });
  }

  it('names a file that is not there', async () => {
    const none = join(folder, 'none.json');
    await assert.rejects(readAlertRules(none), { code: 'INVALID_CONFIG', message: /none\.json/ });
  });
});
