import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { parse, parseDocument } from 'yaml';
import { InfluxMetricExporter, readAlertRules } from '../exporter/index.ts';
import { CONFIGURATION_DOC, withTables } from '../scripts/docs/configuration.ts';
import { resolveConfig } from '../src/config/index.ts';
import { Prices } from '../src/prices/prices.ts';
import type { UsageRecord } from '../src/domain/usage-record.ts';
import { docBlocks, docFiles, readDoc } from './support/doc-blocks.ts';
import { isNotRun, NOT_RUN, shellBlocks } from './support/doc-commands.ts';
import { influxRows } from './support/influx.ts';
import { requireServer, startInfluxd } from './support/servers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Languages of code blocks, and where each is checked. */
const LANGUAGES: Readonly<Record<string, string>> = {
  js: 'run by test/slow/docs/programs.test.ts',
  ts: 'run by test/slow/docs/programs.test.ts',
  sh: 'run by test/slow/docs/commands.test.ts and checkout.test.ts',
  yaml: 'read below',
  json: 'read below',
  sql: 'asked below',
  redis: 'given to a server by test/settings/redis-outage.test.ts',
  go: 'run by test/slow/go-and-java.test.ts',
  java: 'run by test/slow/go-and-java.test.ts',
  xml: 'read by Maven in test/slow/go-and-java.test.ts',
  nginx: 'listed in doc-commands.ts',
  python: 'listed in doc-commands.ts',
  text: 'a drawing, or output of a program',
};

describe('the documents', () => {
  it('have the tables that the settings make', () => {
    const document = readFileSync(CONFIGURATION_DOC, 'utf8');
    assert.equal(document, withTables(document), 'npm run build:config');
  });

  it('name tests that are there for each fault', () => {
    const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' });
    let rows = 0;
    for (const doc of ['docs/influxdb.md', 'docs/sqlite.md']) {
      const [, table = ''] =
        /\| fault .*\| test \|\n\|[-|]+\|\n((?:\|.*\n)+)/i.exec(readDoc(doc)) ?? [];
      for (const row of table.trim().split('\n')) {
        rows++;
        const named = [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)];
        assert.notEqual(named.length, 0, `${doc}: ${row} names no test`);
        for (const [, name = ''] of named) {
          const path = `${name
            .replace(/^…\//, '')
            .replace(/^test\//, '')
            .replace(/\.test\.ts$/, '')}.test.ts`;
          const isThere = tests.some((test) => test === path || test.endsWith(`/${path}`));
          assert.ok(isThere, `${doc} names ${path}, which is not there`);
        }
      }
    }
    assert.ok(rows > 30, `${rows} rows`);
  });

  it('lead to files and headings that are there', () => {
    for (const doc of docFiles()) {
      for (const [, target = '', anchor] of readDoc(doc).matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
        if (/^https?:/.test(target)) continue;
        const path = target === '' ? doc : join(dirname(doc), target);
        assert.ok(existsSync(join(ROOT, path)), `${doc} leads to ${target}`);
        if (anchor === undefined) continue;
        assert.ok(anchorsOf(readDoc(path)).includes(anchor), `${doc} leads to ${path}#${anchor}`);
      }
    }
  });

  it('name tests that are there', () => {
    const named = [...readDoc('docs/security.md').matchAll(/`([\w/-]+\.test\.ts)`/g)];
    assert.ok(named.length > 30);
    for (const [, path = ''] of named) assert.ok(existsSync(join(ROOT, 'test', path)), path);
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

  it('have no block that nothing holds to the truth', () => {
    for (const block of docFiles().flatMap(docBlocks)) {
      // Figures as measured; each section names its command.
      if (block.doc === 'docs/benchmarks.md') continue;
      const place = `${block.doc}:${block.line}`;
      assert.ok(block.language in LANGUAGES, `${place} is of no known kind: "${block.language}"`);
      const named = ['js', 'ts', 'json', 'go', 'java', 'xml'].includes(block.language);
      assert.ok(!named || block.file !== undefined, `${place} has no file name after its language`);
      const listed = ['nginx', 'python'].includes(block.language);
      assert.ok(!listed || isNotRun(block), `${place} is neither run nor listed`);
    }
    const texts = docFiles().flatMap(docBlocks);
    for (const [first, reason] of Object.entries(NOT_RUN)) {
      assert.ok(reason.length > 20 && texts.some(({ text }) => text.startsWith(first)), first);
    }
  });

  it('have commands that a shell can read', () => {
    for (const { doc, line, text } of shellBlocks()) {
      execFileSync('sh', ['-n'], { input: text, stdio: ['pipe', 'ignore', 'pipe'] });
      assert.ok(text !== '', `${doc}:${line}`);
    }
  });

  it('have alert rules and prices that are taken as they are', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-docs-'));
    try {
      const write = (doc: string, name: string): string => {
        const block = docBlocks(doc).find(({ file }) => file === name);
        assert.ok(block !== undefined, name);
        writeFileSync(join(folder, name), block.text);
        return join(folder, name);
      };
      assert.equal((await readAlertRules(write('docs/alerts.md', 'alerts.json'))).length, 5);
      const prices = new Prices({ overridesFile: write('docs/costs.md', 'prices.json') });
      await prices.load();
      const call = { provider: 'any', requestModel: 'house-model', time: '2026-11-20T00:00:00Z' };
      const tokens = { inputTokens: 1_000_000, outputTokens: 1_000_000 };
      assert.equal(prices.costOf({ ...call, ...tokens } as UsageRecord), 0.4);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('show a compose file whose services, volumes and files are there', () => {
    const folder = join(ROOT, 'example-app/deploy');
    const compose = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8')) as Compose;
    for (const [name, service] of Object.entries(compose.services)) {
      assert.ok((service.image === undefined) !== (service.build === undefined), name);
      if (service.build !== undefined) {
        assert.ok(existsSync(join(folder, service.build.context, service.build.dockerfile)), name);
      }
      for (const other of dependenciesOf(service)) assert.ok(other in compose.services, other);
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        const known = source.startsWith('.')
          ? existsSync(join(folder, source))
          : source in compose.volumes;
        assert.ok(known, `${name}: ${volume}`);
      }
    }
    const guide = readDoc('docs/grafana.md');
    const text = JSON.stringify(compose);
    for (const [, variable = ''] of text.matchAll(/\$\{([A-Z_]+):\?/g)) {
      assert.ok(guide.includes(variable), `the guide does not set ${variable}`);
    }
  });

  it('ask what InfluxDB can answer', async function () {
    requireServer(this, 'influxd');
    const influxd = await startInfluxd({ databases: ['llm'] });
    const exporter = new InfluxMetricExporter({ url: influxd.url, bucket: 'llm', spool: false });
    const meters = new MeterProvider({
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    });
    try {
      meters
        .getMeter('docs')
        .createHistogram('gen_ai.client.token.usage')
        .record(18, { 'gen_ai.request.model': 'gpt-4o', 'gen_ai.token.type': 'input' });
      await meters.shutdown();
      const queries = docFiles()
        .flatMap(docBlocks)
        .filter(({ language }) => language === 'sql');
      assert.ok(queries.length > 0);
      for (const { doc, line, text } of queries) {
        const rows = await influxRows(influxd.url, 'llm', text);
        const sums = rows.map(({ sum }) => sum).filter((sum) => sum !== null);
        assert.deepEqual([rows[0]?.['model'], sums], ['gpt-4o', [18]], `${doc}:${line}`);
      }
    } finally {
      await influxd.stop();
    }
  });

  it('say the same in both languages of the README', () => {
    const outline = (doc: string): object => {
      const text = readDoc(doc);
      const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
      return {
        headings: [...text.matchAll(/^(#+) /gm)].map(([, depth]) => depth),
        tableRows: [...text.matchAll(/^\|/gm)].length,
        links: links.filter((target) => !target?.startsWith('README')),
        blocks: docBlocks(doc).map(({ language, file, text: shown }) => ({
          language,
          file,
          lines: shown.split('\n').length,
          ...(language === 'sh' && { shown }),
        })),
      };
    };
    assert.deepEqual(outline('README.zh-CN.md'), outline('README.md'));
  });
});

/** Anchors of headings, as GitHub makes them. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, object>>;
}

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, object>>;
}

const dependenciesOf = ({ depends_on: others = [] }: ComposeService): readonly string[] =>
  Array.isArray(others) ? (others as readonly string[]) : Object.keys(others);
