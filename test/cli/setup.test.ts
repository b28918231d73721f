import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatch } from '../../src/cli/dispatch.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { InfluxAdmin } from '../support/influx-admin.ts';
import { requireServer, startInfluxd } from '../support/servers.ts';
import { memoryIo } from './memory-io.ts';

describe('otel-token-meter setup influxdb', () => {
  let admin: InfluxAdmin;

  beforeEach(async () => (admin = await InfluxAdmin.start()));
  afterEach(async () => await admin.stop());

  const setUp = async (
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number; out: string; err: string }> => {
    const io = memoryIo({
      INFLUX_URL: admin.url,
      INFLUX_ORG: 'acme',
      INFLUX_BUCKET: 'llm',
      INFLUX_TOKEN: 'secret',
      ...env,
    });
    const code = await dispatch(['setup', 'influxdb', ...args], io);
    return { code, out: io.out(), err: io.err() };
  };

  it('makes the bucket with its retention, and a token of it alone; a second run changes nothing', async () => {
    const first = await setUp(['--retention', '90d', '--make-token']);
    assert.equal(first.code, 0, first.out);
    assert.match(first.out, /bucket llm made in organisation acme, kept 90 days/);
    assert.match(first.out, /queries find the bucket as llm\/autogen/);
    assert.match(first.out, /\nINFLUX_TOKEN=made-token\n/);
    assert.deepEqual(admin.buckets[0]?.retentionRules, [
      { type: 'expire', everySeconds: 7_776_000 },
    ]);
    const resource = { type: 'buckets', id: admin.buckets[0]?.id, orgID: '00000000000000aa' };
    assert.deepEqual(admin.authorizations[0]?.['permissions'], [
      { action: 'read', resource },
      { action: 'write', resource },
    ]);
    const second = await setUp();
    assert.equal(second.code, 0);
    assert.match(second.out, /bucket llm is there, kept 90 days/);
    assert.equal(admin.buckets.length, 1);
    const other = await setUp(['--retention', 'infinite']);
    assert.match(other.out, /kept for ever instead of 90 days/);
    assert.deepEqual(admin.buckets[0]?.retentionRules, []);
  });

  it('writes the token to a file, once as long as the server takes it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-setup-'));
    const file = join(folder, 'state', 'influx-token');
    const args = ['--token-file', file];
    try {
      assert.equal((await setUp([...args, '--dry-run'])).code, 0);
      assert.equal(existsSync(file), false);
      const first = await setUp(args);
      assert.equal(first.code, 0, first.out);
      assert.doesNotMatch(first.out, /made-token/);
      assert.equal(readFileSync(file, 'utf8'), 'made-token\n');
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const again = await setUp([...args, '--json']);
      assert.equal(again.code, 0, again.out);
      assert.match(again.out, /made before is good for bucket llm/);
      assert.doesNotMatch(again.out, /made-token/);
      assert.equal(admin.authorizations.length, 1);
      writeFileSync(file, 'of another server');
      assert.equal((await setUp(args)).code, 0);
      assert.equal(readFileSync(file, 'utf8'), 'made-token-2\n');
      admin.rights.delete('authorizations');
      admin.authorizations.length = 0;
      const refused = await setUp(args);
      assert.equal(refused.code, 1);
      assert.equal(readFileSync(file, 'utf8'), 'made-token-2\n', 'what may still be good stays');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('reaches the server through a proxy and by its own authority', async () => {
    const proxy = await ForwardProxy.start();
    try {
      const { code, out } = await setUp([], { TOKEN_METER_INFLUX_PROXY_URL: proxy.url });
      assert.equal(code, 0, out);
      assert.ok(proxy.requests.length > 0);
      proxy.isBroken = true;
      const broken = await setUp([], { TOKEN_METER_INFLUX_PROXY_URL: proxy.url });
      assert.equal(broken.code, 1);
      assert.match(broken.out, /is not reachable/);
    } finally {
      await proxy.stop();
    }
  });

  it('maps the bucket where the server does not, and reports a mapping that hides it', async () => {
    admin.mapsBuckets = false;
    const { code, out } = await setUp([], { INFLUX_BUCKET: 'a/b' });
    assert.equal(code, 0, out);
    assert.match(out, /DBRP mapping a\/b made/);
    assert.equal(admin.dbrps[0]?.['retention_policy'], 'b');
    admin.dbrps[0] = { ...admin.dbrps[0], bucketID: 'ffffffffffffffff' };
    const hidden = await setUp([], { INFLUX_BUCKET: 'a/b' });
    assert.equal(hidden.code, 1);
    assert.match(hidden.out, /read another bucket \(DBRP mapping d1\)/);
  });

  it('names the right that is missing', async () => {
    admin.rights = new Set(['orgs']);
    const bucket = await setUp();
    assert.equal(bucket.code, 1);
    assert.match(
      bucket.out,
      /X {3}bucket llm: the server answers 401; .* write buckets of organisation acme/,
    );
    admin.rights = new Set(['buckets']);
    assert.match(
      (await setUp()).out,
      /organisation acme is not there, or the token may not see it/,
    );
    admin.rights = new Set(['orgs', 'buckets', 'dbrps']);
    const token = await setUp(['--make-token', '--json']);
    assert.equal(token.code, 1);
    assert.match(token.out, /"state": "missing",\s+"says": "token: .*operator or all-access token/);
    assert.match((await setUp([], { INFLUX_TOKEN: '' })).out, /needs an organisation and a token/);
    admin.rights.add('authorizations');
    const env = { INFLUX_TOKEN: 'unknown', INFLUX_ADMIN_TOKEN: 'secret' };
    assert.equal((await setUp(['--make-token'], env)).code, 0);
  });

  it('makes the bucket of roll-ups with a retention of its own, and a token of both', async () => {
    const env = { INFLUX_ROLLUP_BUCKET: 'llm_sums' };
    const args = ['--retention', '90d', '--rollup-retention', '156w', '--make-token'];
    const first = await setUp(args, env);
    assert.equal(first.code, 0, first.out);
    assert.deepEqual(
      admin.buckets.map(({ name, retentionRules: [rule] }) => [name, rule?.everySeconds]),
      [
        ['llm', 7_776_000],
        ['llm_sums', 94_348_800],
      ],
    );
    assert.match(first.out, /queries find the bucket as llm_sums\/autogen/);
    assert.match(first.out, /read and write bucket llm and bucket llm_sums alone/);
    const permissions = admin.authorizations[0]?.['permissions'] as {
      action: string;
      resource: { id: string };
    }[];
    assert.deepEqual(
      permissions.map(({ action, resource }) => `${action} ${resource.id}`),
      admin.buckets.flatMap(({ id }) => [`read ${id}`, `write ${id}`]),
    );
    admin.rights.delete('buckets');
    admin.buckets.pop();
    const refused = await setUp([], env);
    assert.equal(refused.code, 1);
    assert.match(
      refused.out,
      /X .*bucket llm_sums: .*; the token needs the right to write buckets/,
    );
    const alone = await setUp(['--rollup-retention', '3w']);
    assert.equal(alone.code, 1);
    assert.match(alone.err, /--rollup-retention needs a bucket of roll-ups/);
    assert.match(
      (await setUp(['--rollup-retention', 'x'], env)).err,
      /--rollup-retention is no time/,
    );
  });

  it('does nothing in a dry run', async () => {
    const { code, out } = await setUp(['--dry-run', '--make-token']);
    assert.equal(code, 0);
    assert.match(out, /->.*bucket llm in organisation acme, kept for ever/);
    assert.deepEqual(admin.buckets, []);
  });

  it('makes a database of 1.x', async function () {
    requireServer(this, 'influxd');
    const influxd = await startInfluxd();
    try {
      const env = { INFLUX_URL: influxd.url, INFLUX_BUCKET: 'odd "name"/weekly' };
      for (let run = 0; run < 2; run++) {
        const { code, out } = await setUp(['--retention', '2w'], env);
        assert.equal(code, 0, out);
      }
      const q = new URLSearchParams({ q: 'SHOW RETENTION POLICIES ON "odd \\"name\\""' });
      const shown = await (await fetch(`${influxd.url}/query?${q.toString()}`)).text();
      assert.match(shown, /"weekly","336h0m0s"/);
      const sums = { ...env, INFLUX_ROLLUP_BUCKET: 'odd "name"/sums' };
      for (const args of [['--rollup-retention', '52w'], [], ['--rollup-retention', '104w']]) {
        const { code, out } = await setUp(args, sums);
        assert.equal(code, 0, out);
      }
      const again = await (await fetch(`${influxd.url}/query?${q.toString()}`)).text();
      assert.match(again, /"weekly","336h0m0s".*"sums","17472h0m0s"/);
    } finally {
      await influxd.stop();
    }
  });

  it('reports the database limit of 3 Core', async () => {
    const server = createServer((request, response) => {
      request.resume();
      if (request.url === '/ping') {
        response.end('{"product_name":"InfluxDB 3 Core","version":"3.6.0"}');
      } else {
        response.writeHead(422);
        response.end('{"error":"Adding a new database would exceed limit of 5 databases"}');
      }
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { code, out } = await setUp([], { INFLUX_URL: `http://127.0.0.1:${port}` });
    assert.equal(code, 1);
    assert.match(out, /InfluxDB 3 Core takes 5 databases and has them/);
    server.closeAllConnections();
    server.close();
  });

  it('says what is wrong with its options', async () => {
    assert.equal((await setUp(['--retention', 'soon'])).code, 1);
    assert.match((await setUp(['--retention', 'soon'])).err, /such as 24h, 90d, 52w, or infinite/);
    const io = memoryIo();
    assert.equal(await dispatch(['setup'], io), 2);
    const down = await setUp([], { INFLUX_URL: 'http://127.0.0.1:1' });
    assert.equal(down.code, 1);
    assert.match(down.out, /is not reachable: /);
  });
});
