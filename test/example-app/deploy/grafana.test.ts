import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { metrics } from '@opentelemetry/api';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { alertRules } from '../../../example-app/deploy/grafana/alert-rules.ts';
import { generated } from '../../../example-app/deploy/grafana/build.ts';
import { hasInfluxql, influxql } from '../../../example-app/deploy/grafana/influxql.ts';
import { type Panel, panels } from '../../../example-app/deploy/grafana/panels.ts';
import { sql } from '../../../example-app/deploy/grafana/sql.ts';
import { InfluxMetricExporter } from '../../../exporter/influxdb/write/influx-metric-exporter.ts';
import { SelfMetrics } from '../../../exporter/health/self-metrics.ts';
import { InfluxUsageProcessor } from '../../../exporter/influxdb/write/influx-usage-processor.ts';
import { influxRows } from '../../support/influx.ts';
import { requireServer, startInfluxd, type TestServer } from '../../support/servers.ts';
import { mixedRecords } from '../../support/usage-ledger.ts';
import { logOf, usageRecord } from '../../support/usage-logs.ts';

const HOUR_MS = 3_600_000;
const DATABASE = 'llm_metrics';

interface Written {
  readonly fields: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
}

const measurementsOf = (): string[] => [...new Set(panels.map(({ measurement }) => measurement))];

/** Every name that a panel reads. */
function namesOf({ measures, by = [], byField, where = {}, wherePresent }: Panel): {
  fields: string[];
  tags: string[];
} {
  return {
    fields: [
      ...measures.flatMap((measure) =>
        measure.kind === 'ratio' ? [measure.field, measure.per] : [measure.field],
      ),
      ...(byField === undefined ? [] : [byField]),
      ...(wherePresent === undefined ? [] : [wherePresent]),
    ],
    tags: [...by, ...Object.keys(where)],
  };
}

/** As Grafana fills in its variables: one range, one interval, everything chosen. */
function filled(query: string): string {
  return query
    .replaceAll('$timeFilter', `time >= now() - 24h AND time <= now()`)
    .replaceAll('$__interval', '10m')
    .replaceAll(/\$\{(service|model|user):regex\}/g, '.*');
}

describe('Grafana provisioning', () => {
  it('is what its generator makes', () => {
    const folder = new URL('../../../example-app/deploy/grafana/', import.meta.url);
    for (const [path, content] of Object.entries(generated)) {
      assert.equal(
        readFileSync(new URL(path, folder), 'utf8'),
        content,
        `${path} is stale: node example-app/deploy/grafana/build.ts`,
      );
    }
  });

  it('has dashboards that can be provisioned as they are', () => {
    for (const [path, content] of Object.entries(generated)) {
      if (!path.startsWith('dashboards/')) continue;
      const dashboard = JSON.parse(content) as {
        id: unknown;
        uid: string;
        panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
      };
      assert.equal(dashboard.id, null);
      assert.ok(!('__inputs' in dashboard));
      assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
      const taken = new Set<string>();
      for (const { gridPos } of dashboard.panels) {
        assert.ok(gridPos.x + gridPos.w <= 24, 'within the grid');
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            assert.ok(!taken.has(`${x}/${y}`), `${path}: two panels at ${x}/${y}`);
            taken.add(`${x}/${y}`);
          }
        }
      }
    }
  });

  it('writes no $ into provisioning files that Grafana would take for a variable', () => {
    const alerting = generated['provisioning/alerting/llm-usage.yaml'] ?? '';
    assert.ok(alerting.includes('$$timeFilter'));
    assert.ok(!/[^$]\$[^$]/.test(alerting));
  });

  describe('on InfluxDB 1.x, filled by the exporters', () => {
    let server: TestServer;
    const written = new Map<string, Written>();

    before(async function () {
      requireServer(this, 'influxd');
      server = await startInfluxd({ databases: [DATABASE] });
      await fill(server.url);
      for (const measurement of measurementsOf()) {
        const keys = async (what: string, column: string): Promise<Set<string>> => {
          const rows = await influxRows(
            server.url,
            DATABASE,
            `SHOW ${what} KEYS FROM "${measurement}"`,
          );
          return new Set(rows.map((row) => String(row[column])));
        };
        const fields = await keys('FIELD', 'fieldKey');
        written.set(measurement, { fields, tags: await keys('TAG', 'tagKey') });
      }
    });
    after(async () => await server?.stop());

    for (const panel of panels) {
      it(`"${panel.title}" reads only what the exporter writes`, () => {
        const { fields, tags } = namesOf(panel);
        const { measurement } = panel;
        for (const field of fields) {
          assert.ok(
            written.get(measurement)?.fields.has(field),
            `no field ${field} in ${measurement}`,
          );
        }
        for (const tag of tags) {
          assert.ok(written.get(measurement)?.tags.has(tag), `no tag ${tag} in ${measurement}`);
        }
      });
    }

    it('would notice a name that nobody writes', () => {
      assert.equal(written.get('llm_usage')?.fields.has('prompt_tokens'), false);
      assert.equal(written.get('llm_usage')?.tags.has('user'), false);
    });

    for (const panel of panels.filter(hasInfluxql)) {
      it(`"${panel.title}" answers with numbers`, async () => {
        const rows = await influxRows(server.url, DATABASE, filled(influxql(panel)));
        assert.ok(rows.length > 0, 'no rows');
        for (const { label } of panel.measures) {
          assert.ok(
            rows.some((row) => typeof row[label] === 'number'),
            `no number in ${label} of ${influxql(panel)}`,
          );
        }
        for (const tag of panel.by ?? []) {
          assert.ok(
            rows.some((row) => typeof row[tag] === 'string' && row[tag] !== ''),
            tag,
          );
        }
      });
    }

    for (const rule of alertRules) {
      it(`alert rule "${rule.title}" asks for numbers`, async () => {
        const rows = await influxRows(server.url, DATABASE, filled(rule.query));
        assert.ok(rows.length > 0);
        const numbers = rows
          .flatMap((row) => Object.entries(row))
          .filter(([name]) => name !== 'time');
        assert.ok(numbers.some(([, value]) => typeof value === 'number'));
      });
    }

    it('fills its variables', async () => {
      for (const tag of ['service', 'model', 'user_id']) {
        const q = `SHOW TAG VALUES FROM "llm_usage" WITH KEY = "${tag}"`;
        assert.ok((await influxRows(server.url, DATABASE, q)).length > 0);
      }
    });
  });

  describe('SQL twin', () => {
    let database: DatabaseSync;

    before(() => {
      database = sqlTables();
    });
    after(() => database.close());

    for (const panel of panels) {
      it(`"${panel.title}" is SQL over the columns of the ledger`, () => {
        const query = sql(panel)
          .replaceAll('$__timeFilter(time)', 'time >= 0')
          .replaceAll('$__dateBin(time)', 'time / 600000 * 600000')
          .replaceAll('${service:sqlstring}', `'chat-service', 'batch'`)
          .replaceAll('${model:sqlstring}', `'gpt-4o'`);
        const rows = database.prepare(query).all();
        assert.ok(rows.length > 0);
        for (const { label } of panel.measures)
          assert.equal(typeof rows[0]?.[label], 'number', label);
      });
    }
  });
});

/** One call of every kind, and what an exporter tells about itself. */
async function fill(url: string): Promise<void> {
  const options = { url, bucket: DATABASE, spool: false as const };
  const ledger = new InfluxUsageProcessor(options);
  const now = Date.now();
  const full = usageRecord(now - 1000, {
    userId: 'alice',
    conversationId: 'c-1',
    timeToFirstChunkMs: 100,
    inputTokens: 10,
    outputTokens: 5,
    totalTokens: 15,
    cacheReadTokens: 2,
    cacheWriteTokens: 1,
    reasoningTokens: 1,
    tokenSource: 'provider',
    costUsd: 0.01,
  });
  for (const record of [full, ...mixedRecords(200, now - 3 * HOUR_MS, now - 5000)]) {
    const log = logOf(record);
    const attributes = { ...log.resource.attributes, 'deployment.environment.name': 'test' };
    ledger.onEmit({ ...log, resource: { attributes } });
  }
  await ledger.shutdown();
  const exporter = new InfluxMetricExporter(options);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  const counts = { state: 'ok', retries: 0, spoolBytes: 0, delivered: 3, accepted: 5 } as const;
  const self = new SelfMetrics('usage', () => ({ ...counts, dropped: { refused: 2 } }));
  self.ensure();
  await provider.forceFlush();
  await provider.shutdown();
  self.stop();
  metrics.disable();
}

/** The columns that the exporters write, as tables of InfluxDB 3; SQLite reads the same SQL. */
function sqlTables(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  database.aggregate('approx_percentile_cont', {
    start: 0,
    varargs: true,
    step: (largest: number, ...[value]: SQLOutputValue[]) => Math.max(largest, Number(value)),
  });
  for (const measurement of measurementsOf()) {
    const columns = new Map<string, string | number>([['time', 1_000_000]]);
    for (const panel of panels.filter((one) => one.measurement === measurement)) {
      const { fields, tags } = namesOf(panel);
      for (const field of fields) columns.set(field, field === panel.byField ? 'c-1' : 7);
      for (const [tag, value] of Object.entries(panel.where ?? {})) columns.set(tag, value);
      for (const tag of tags) if (!columns.has(tag)) columns.set(tag, 'x');
    }
    if (measurement === 'llm_usage') columns.set('service', 'chat-service').set('model', 'gpt-4o');
    const names = [...columns.keys()].map((column) => `"${column}"`).join(', ');
    const values = [...columns.values()].map(() => '?').join(', ');
    database.exec(`CREATE TABLE "${measurement}" (${names})`);
    database.prepare(`INSERT INTO "${measurement}" VALUES (${values})`).run(...columns.values());
  }
  return database;
}
