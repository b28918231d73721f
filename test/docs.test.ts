import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { CONFIGURATION_DOC, withTables } from '../scripts/docs/configuration.ts';
import { resolveConfig } from '../src/config/index.ts';
import { docBlocks, docFiles, readDoc } from './support/doc-blocks.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Show parts of programs; what those parts do is tested where it is made. */
const WITH_FRAGMENTS: readonly string[] = [
  'docs/alerts.md',
  'docs/costs.md',
  'docs/grafana.md',
  'docs/influxdb.md',
  'docs/providers.md',
  'docs/settings.md',
  'docs/tokens.md',
];

/** Programs of these blocks are run in test/slow/docs.test.ts. */
describe('the documents', () => {
  it('have the tables that the settings make', () => {
    const document = readFileSync(CONFIGURATION_DOC, 'utf8');
    assert.equal(document, withTables(document), 'npm run build:config');
  });

  it('lead to files that are there', () => {
    for (const doc of docFiles()) {
      for (const [, target = ''] of readDoc(doc).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
        if (/^https?:/.test(target)) continue;
        assert.ok(existsSync(join(ROOT, dirname(doc), target)), `${doc} leads to ${target}`);
      }
    }
  });

  it('show configuration files that are taken without a word', () => {
    for (const block of docFiles().flatMap(docBlocks)) {
      if (block.language !== 'yaml') continue;
      const place = `${block.doc}:${block.line}`;
      assert.deepEqual(parseDocument(block.text).errors, [], place);
      if (!block.text.includes('token_meter')) continue;
      const { problems } = resolveConfig({ env: {}, file: place, readFile: () => block.text });
      assert.deepEqual(problems, [], place);
    }
  });

  it('name every program, so that it can be run', () => {
    for (const { doc, line, language, file } of docFiles().flatMap(docBlocks)) {
      const program = ['js', 'ts', 'javascript', 'typescript'].includes(language);
      if (program && !WITH_FRAGMENTS.includes(doc)) {
        assert.ok(file !== undefined, `${doc}:${line} has no file name after its language`);
      }
    }
  });

  it('say the same numbers in both languages of the README', () => {
    const commands = (doc: string): readonly string[] =>
      docBlocks(doc)
        .filter(({ language }) => language === 'sh')
        .map(({ text }) => text);
    assert.deepEqual(commands('README.zh-CN.md'), commands('README.md'));
  });
});
