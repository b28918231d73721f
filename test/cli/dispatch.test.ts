import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { dispatch } from '../../src/cli/dispatch.ts';
import { memoryIo } from './memory-io.ts';

describe('the command line', () => {
  it('lists its commands and tells its version', async () => {
    const io = memoryIo();
    assert.equal(await dispatch(['--help'], io), 0);
    assert.match(io.out(), /Usage: otel-token-meter <command>/);
    assert.match(io.out(), /^ {2}config +print the effective configuration/m);
    assert.doesNotMatch(io.out(), /not available/);
    const version = memoryIo();
    assert.equal(await dispatch(['--version'], version), 0);
    assert.match(version.out(), /^\d+\.\d+\.\d+/);
  });

  it('answers a wrong command or option with exit code 2 and one line', async () => {
    const io = memoryIo();
    assert.equal(await dispatch(['cuont'], io), 2);
    assert.match(io.err(), /unknown command "cuont"; commands: .*config/);
    const option = memoryIo();
    assert.equal(await dispatch(['config', 'print', '--colour'], option), 2);
    assert.equal(option.err(), "otel-token-meter config: Unknown option '--colour'; see --help\n");
  });

  it('prints configuration with its origins and without secrets', async () => {
    const env = {
      INFLUX_TOKEN: 'hush-hush',
      INFLUX_URL: 'http://me:hush-hush@db.example:8086/',
      TOKEN_METER_BATCH_SIZE: '7',
    };
    for (const form of [[], ['--json']]) {
      const io = memoryIo(env);
      assert.equal(await dispatch(['config', 'print', ...form], io), 0);
      assert.doesNotMatch(io.out(), /hush/);
      assert.match(io.out(), /TOKEN_METER_BATCH_SIZE/);
      assert.match(io.out(), /db\.example/);
    }
    const wrong = memoryIo({ TOKEN_METER_BATCH_SIZE: 'many' });
    assert.equal(await dispatch(['config', 'print'], wrong), 1);
    assert.match(wrong.err(), /TOKEN_METER_BATCH_SIZE is "many"; allowed: a whole number/);
  });

  it('runs as a program from the sources', () => {
    const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
    const out = execFileSync(process.execPath, [main, 'config', 'schema'], { encoding: 'utf8' });
    assert.equal(JSON.parse(out).$schema, 'https://json-schema.org/draft/2020-12/schema');
  });
});
