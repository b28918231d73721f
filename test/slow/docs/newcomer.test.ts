import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { docBlocks } from '../../support/doc-blocks.ts';
import { DOC_WIRE } from '../../support/documented-app.ts';
import { installedApp, packedTarball } from '../../support/packed.ts';
import { chatPlain } from '../../support/wire/openai-chat.ts';
import { startWireServer } from '../../support/wire/wire-server.ts';

const LINE = /^alice gpt-4o .*18→9 tok .*$/m;

/** From an empty folder, by the README alone. */
describe('a newcomer', () => {
  it('sees the first number within five minutes, two commands and nine lines', async () => {
    const blocks = docBlocks('README.md');
    const commands = blocks.filter(({ language }) => language === 'sh');
    // What stands before is for a checkout; a user begins by installing.
    const [install, start] = commands.slice(
      commands.findIndex(({ text }) => text.startsWith('npm install')),
    );
    const program = blocks.find(({ language }) => language === 'js');
    assert.equal(install?.text, 'npm install otel-token-meter openai\n');
    assert.equal(start?.text, `node --import otel-token-meter/register ${program?.file}\n`);

    const server = await startWireServer();
    server.play(chatPlain(DOC_WIRE));
    const startedAt = Date.now();
    // `npm install`, with the tarball in the place of the name that is not published yet.
    const app = await installedApp(['openai']);
    try {
      await app.write(program?.file ?? '', program?.text ?? '');
      const [command = '', ...args] = start.text.trim().split(' ');
      const env = { OPENAI_API_KEY: 'test', OPENAI_BASE_URL: server.url };
      const { code, out, err } = await app.run(command, args, env);
      assert.deepEqual([code, out], [0, 'The tide comes in twice a day.\n'], err);
      assert.match(err, LINE);
      const seconds = (Date.now() - startedAt) / 1000;
      assert.ok(seconds < 300, `${seconds} s`);

      // And as the README goes on: the switch, and doctor.
      const off = blocks.find(({ text }) => text.includes('.token-meter/settings.json'));
      assert.equal((await app.run('sh', ['-c', off?.text ?? ''])).code, 0);
      const quiet = await app.run(command, args, env);
      assert.deepEqual([quiet.code, quiet.err], [0, '']);
      const doctor = await app.run('npx', ['otel-token-meter', 'doctor'], env);
      assert.equal(doctor.code, 0, doctor.out);
      assert.match(doctor.out, /ok {2}llm sdk +openai \S+ is patched/);
      assert.match(doctor.out, /enabled=false/);
    } finally {
      await app.remove();
      await server.close();
    }
  });

  it('gets fifteen packages at most, no install script and less than four megabytes', async () => {
    const app = await installedApp([]);
    try {
      const { out } = await app.run('npm', ['ls', '--all', '--parseable']);
      const packages = out.trim().split('\n').slice(1);
      assert.ok(packages.length <= 15, packages.join('\n'));
      const query = await app.run('npm', ['query', ':attr(scripts, [postinstall])']);
      assert.deepEqual(JSON.parse(query.out), []);
      const { size } = await stat(await packedTarball());
      assert.ok(size < 4_000_000, `${size} bytes`);
    } finally {
      await app.remove();
    }
  });
});
