import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { dispatch } from '../../../src/cli/dispatch.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { memoryIo } from '../../cli/memory-io.ts';
import { InfluxAdmin } from '../../support/influx-admin.ts';

interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** As Compose reads the file with these variables: `${NAME:-default}` and `${NAME:?message}`. */
function composeWith(env: Readonly<Record<string, string>>): Compose {
  const file = new URL('../../../example-app/deploy/compose.yaml', import.meta.url);
  const text = readFileSync(file, 'utf8').replaceAll(
    /\$\{(\w+):([-?])([^}]*)\}/g,
    (_, name: string, kind: string, rest: string) => {
      const value = env[name] ?? (kind === '-' ? rest : undefined);
      assert.ok(value !== undefined, `${name}: ${rest}`);
      return value;
    },
  );
  return parse(text, { merge: true }) as Compose;
}

const ENV = {
  INFLUX_TOKEN: 'long-random-text',
  INFLUX_PASSWORD: 'password',
  TOKEN_METER_ADMIN_TOKEN: 'admin',
};

/** The environment of a container: what is empty in the file is an empty variable. */
function given(service: Service | undefined): Readonly<Record<string, string>> {
  const entries = Object.entries(service?.environment ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']));
}

describe('the compose file', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-compose-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The set-up service, and the token that the application reads then. */
  async function setUp(url: string): Promise<{ code: number; out: string; token: unknown }> {
    const { setup, app } = composeWith(ENV).services;
    const at = setup?.command?.indexOf('src/cli/main.ts') ?? -1;
    assert.ok(at > 0);
    const inFolder = (path: string): string => path.replace('.token-meter', folder);
    const io = memoryIo({ ...given(setup), INFLUX_URL: url });
    const code = await dispatch((setup?.command ?? []).slice(at + 1).map(inFolder), io);
    const env = Object.fromEntries(
      Object.entries(given(app)).map(([name, value]) => [name, inFolder(value)]),
    );
    const { values, problems } = resolveConfig({ env });
    assert.deepEqual(problems, []);
    return { code, out: io.out() + io.err(), token: values.metrics.influxdb.token };
  }

  it('gives the application a token of its bucket alone on InfluxDB 2.x, however often it starts', async () => {
    const admin = await InfluxAdmin.start();
    admin.org = 'knowledge_qa_org';
    admin.token = `apiv3_${ENV.INFLUX_TOKEN}`;
    try {
      for (let start = 0; start < 2; start++) {
        const { code, out, token } = await setUp(admin.url);
        assert.equal(code, 0, out);
        assert.equal(token, 'made-token');
        assert.doesNotMatch(out, /made-token/);
      }
      assert.deepEqual(
        admin.buckets.map(({ name, retentionRules }) => [name, retentionRules[0]?.everySeconds]),
        [['llm_metrics', 400 * 86_400]],
      );
      assert.equal(admin.authorizations.length, 1);
    } finally {
      await admin.stop();
    }
  });

  it('gives it the admin token on InfluxDB 3 Core, which has no others', async () => {
    const made: string[] = [];
    const { configs, services } = composeWith(ENV);
    const path = services['influxdb']?.environment?.['INFLUXDB3_ADMIN_TOKEN_FILE'];
    assert.equal(path, '/run/influxdb3-admin-token.json');
    const { token, name } = JSON.parse(configs['influxdb3-admin-token']?.content ?? '') as {
      token: string;
      name: string;
    };
    assert.equal(name, '_admin');
    const server: Server = createServer((request, response) => {
      if (request.headers.authorization !== `Bearer ${token}`) {
        response.writeHead(401).end();
      } else if (request.url === '/ping') {
        request.resume();
        response.end('{"product_name":"InfluxDB 3 Core","version":"3.9.6"}');
      } else {
        request.on('data', (body) => made.push(String(body)));
        request.on('end', () => response.writeHead(made.length > 1 ? 409 : 200).end());
      }
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    try {
      for (let start = 0; start < 2; start++) {
        const { code, out, token: read } = await setUp(`http://127.0.0.1:${port}`);
        assert.equal(code, 0, out);
        assert.equal(read, token);
      }
      assert.deepEqual(JSON.parse(made[0] ?? ''), {
        db: 'llm_metrics',
        retention_period: `${400 * 86_400}s`,
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('runs any of the images by one variable, with the same secrets', () => {
    for (const image of ['influxdb:2.7', 'influxdb:2.9', 'influxdb:3-core']) {
      const { services } = composeWith({ ...ENV, INFLUXDB_IMAGE: image });
      const { influxdb, setup, app, grafana } = services;
      assert.equal(influxdb?.image, image);
      const variables = given(influxdb);
      assert.equal(variables['INFLUXDB3_HTTP_BIND_ADDR'], '0.0.0.0:8086');
      const adminToken = variables['DOCKER_INFLUXDB_INIT_ADMIN_TOKEN'];
      assert.match(adminToken ?? '', /^apiv3_/, 'what 3.x asks of a token');
      assert.equal(setup?.environment?.['INFLUX_ADMIN_TOKEN'], adminToken);
      assert.equal(grafana?.environment?.['INFLUX_TOKEN'], adminToken);
      assert.equal(app?.environment?.['INFLUX_TOKEN'], undefined);
      assert.equal(app?.depends_on?.['setup']?.condition, 'service_completed_successfully');
      assert.equal(setup?.depends_on?.['influxdb']?.condition, 'service_healthy');
    }
  });

  it('keeps what has to be kept on volumes', () => {
    const { services, volumes } = composeWith(ENV);
    for (const [name, service] of Object.entries(services)) {
      for (const mount of service.volumes ?? []) {
        const [source = ''] = mount.split(':');
        assert.ok(source.startsWith('./') || source in volumes, `${name}: ${mount}`);
      }
    }
    assert.deepEqual(services['app']?.volumes, services['setup']?.volumes);
  });
});
