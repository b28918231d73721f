import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InfluxOptions } from '../../../../../exporter/influxdb/influx-options.ts';
import { LineExporter } from '../../../../../exporter/influxdb/write/line-exporter.ts';
import { resolveInfluxOptions } from '../../../../../exporter/influxdb/influx-options.ts';
import { ContractServer, type ContractVersion } from '../../../../support/contract-server.ts';
import { lineOf } from '../../../../support/line-of.ts';
import { until } from '../../../../support/until.ts';

const CREDENTIALS: Readonly<Record<ContractVersion, Partial<InfluxOptions>>> = {
  '1.8': { username: 'ann', password: 'secret' },
  '2.x': { token: 'ann:secret', org: 'acme' },
  '3.x': { token: 'ann:secret' },
};

for (const version of ['1.8', '2.x', '3.x'] as const) {
  describe(`delivery to a server that answers as InfluxDB ${version}`, () => {
    let server: ContractServer;
    let directory: string;
    let exporter: LineExporter;

    beforeEach(async () => {
      server = await ContractServer.start(version);
      server.token = 'ann:secret';
      directory = mkdtempSync(join(tmpdir(), 'token-meter-contract-'));
    });
    afterEach(async () => {
      await exporter.shutdown();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    const start = (over: Partial<InfluxOptions> = {}): LineExporter => {
      const options = {
        url: server.url,
        bucket: 'usage',
        spool: { directory },
        ...CREDENTIALS[version],
        ...over,
      };
      exporter = new LineExporter('test', resolveInfluxOptions('test', options), {
        isOptionalField: (name) => name.startsWith('extra'),
      });
      return exporter;
    };
    const write = (count: number, line = (i: number): string => `m,t=a v=${i}i ${i}`): void => {
      for (let i = 0; i < count; i++) exporter.write(lineOf(line(i)));
    };
    const deadLetters = (): string[] => {
      const name = readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((one) =>
        one.includes('dead-letters-'),
      );
      return name === undefined
        ? []
        : readFileSync(join(directory, name), 'utf8').trim().split('\n');
    };

    it('finds out by itself what it talks to', async () => {
      start();
      write(3);
      await exporter.flush();
      assert.equal(server.stored.size, 3);
      assert.deepEqual(server.requests, [
        'GET /ping',
        { '1.8': 'POST /write', '2.x': 'POST /api/v2/write', '3.x': 'POST /api/v3/write_lp' }[
          version
        ],
      ]);
    });

    it('finds one bad line in 5000, stores the others and keeps the line', async () => {
      start();
      write(5000, (i) => (i === 1234 ? 'm,t=a v=oops 1234' : `m,t=a v=${i}i ${i}`));
      await exporter.flush();
      assert.equal(server.stored.size, 4999);
      const { dropped, delivered, pending } = exporter.status();
      assert.deepEqual([dropped, delivered, pending], [{ refused: 1 }, 4999, 0]);
      await exporter.shutdown();
      const [comment, line, ...rest] = deadLetters();
      assert.match(comment ?? '', /^# \d{4}-.*Z refused: HTTP 400: /);
      assert.equal(line, 'm,t=a v=oops 1234');
      assert.deepEqual(rest, []);
      assert.ok(server.requests.length < 40, `${server.requests.length} requests`);
    });

    it('stores the rest of a batch with a type conflict and strings with line breaks', async () => {
      start();
      exporter.write(lineOf('m v=1i 1'));
      await exporter.flush();
      write(20, (i) =>
        i % 7 === 3 ? `m v=1.5 ${i + 10}` : `m,q=" v=1i,s="x\\"\n${i},y= " ${i + 10}`,
      );
      await exporter.flush();
      assert.equal(server.stored.size, 18);
      assert.deepEqual(exporter.status().dropped, { refused: 3 });
      await until(() => deadLetters().filter((line) => line.startsWith('m v=1.5')).length === 3);
      const [one] = [...server.stored.values()].slice(1);
      assert.deepEqual(one?.fields['s'], { type: 's', value: 'x"\n0,y= ' });
    });

    it('leaves out an attribute of another type rather than the record', async () => {
      start();
      exporter.write(lineOf('m v=1i,extra\\ a="x",extra=1 1'));
      await exporter.flush();
      exporter.write(lineOf('m extra\\ a=2,v=2i,s="a, b=\\"c",extra="y" 2'));
      exporter.write(lineOf('m extra=true 3'));
      await exporter.flush();
      const [, second, ...others] = [...server.stored.values()];
      assert.deepEqual(second?.fields, {
        v: { type: 'i', value: 2 },
        s: { type: 's', value: 'a, b="c' },
      });
      assert.deepEqual(others, []);
      const { dropped, cleaned } = exporter.status();
      assert.deepEqual([dropped, cleaned], [{ refused: 1 }, { type_conflict: 2 }]);
    });

    it('keeps everything while the token is wrong, and delivers when it is right', async () => {
      server.token = 'ann:rotated';
      start();
      write(100);
      await exporter.flush();
      const { state, pending, dropped, lastError } = exporter.status();
      assert.deepEqual([state, pending, dropped], ['failing', 100, {}]);
      assert.match(lastError?.message ?? '', /401/);
      server.token = 'ann:secret';
      await exporter.flush();
      assert.equal(server.stored.size, 100);
      assert.equal(exporter.status().state, 'ok');
    });

    it('never takes a wrong parameter for a wrong line', async () => {
      start(
        version === '3.x'
          ? { bucket: 'not.a.name' }
          : version === '2.x'
            ? { org: undefined }
            : { bucket: 'nowhere' },
      );
      write(1);
      await exporter.flush();
      const { state, pending, dropped } = exporter.status();
      assert.deepEqual([state, pending, dropped], ['failing', 1, {}]);
    });

    if (version !== '3.x') {
      it('waits for a bucket that is made later', async () => {
        start({ bucket: 'later' });
        write(10);
        await exporter.flush();
        assert.equal(exporter.status().state, 'failing');
        server.databases.add('later');
        await until(() => exporter.status().delivered === 10);
      });

      it('drops what is beyond the retention, for that reason', async () => {
        server.oldest = 50n;
        start();
        write(60);
        await exporter.flush();
        assert.equal(server.stored.size, 10);
        assert.deepEqual(exporter.status().dropped, { beyond_retention: 50 });
      });
    }

    if (version === '2.x') {
      it('takes the page of the user interface for no success', async () => {
        start({ version: '3' });
        write(10);
        await exporter.flush();
        assert.equal(server.stored.size, 10);
        assert.deepEqual(server.requests, ['POST /api/v3/write_lp', 'POST /api/v2/write']);
      });

      it('uses the paths of 1.x with user and password', async () => {
        server.token = undefined;
        start({ token: undefined, username: 'ann', password: 'secret' });
        write(10);
        await exporter.flush();
        assert.equal(server.requests.at(-1), 'POST /write');
        assert.equal(server.stored.size, 10);
      });
    }
  });
}
