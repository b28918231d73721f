import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { AlertEmail } from '../../../../exporter/alerts/channels/email.ts';
import { until } from '../../../support/until.ts';
import { usageAlert } from '../../../support/usage-alerts.ts';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly content: string;
}

describe('alerts by e-mail', () => {
  let server: SMTPServer;
  let mails: Mail[];
  /** Answers to the next mails; undefined accepts. */
  let refusals: (number | undefined)[];
  const url = (credentials = 'meter:p%40ss'): string =>
    `smtp://${credentials}@127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  const addresses = {
    from: 'Token meter <meter@example.com>',
    to: ['ops@example.com', 'finance@example.com'],
  };

  beforeEach(async () => {
    mails = [];
    refusals = [];
    server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth({ username, password }, _session, done) {
        if (password === 'p@ss') done(null, { user: username ?? '' });
        else done(Object.assign(new Error('wrong password'), { responseCode: 535 }));
      },
      onData(stream, session, done) {
        let content = '';
        stream.on('data', (chunk) => (content += String(chunk)));
        stream.on('end', () => {
          const responseCode = refusals.shift();
          if (responseCode !== undefined) {
            done(Object.assign(new Error('not now'), { responseCode }));
            return;
          }
          const { mailFrom, rcptTo } = session.envelope;
          mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            user: session.user as string | undefined,
            content: content.replace(/\r\n\r\n[^]*/, (body) => body.replaceAll('=\r\n', '')),
          });
          done();
        });
      },
    });
    server.on('error', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
  });
  afterEach(async () => await new Promise<void>((resolve) => server.close(() => resolve())));

  it('reach everybody, as one thread for each incident', async () => {
    const email = new AlertEmail({
      smtpUrl: url(),
      ...addresses,
      publicUrl: 'https://meter.example',
    });
    assert.equal(await email.send(usageAlert()), true);
    assert.equal(await email.send(usageAlert({ id: 'two', level: 'ok', value: 3 })), true);
    const [first, second] = mails;
    assert.equal(first?.from, 'meter@example.com');
    assert.deepEqual(first.to, addresses.to);
    assert.equal(first.user, 'meter');
    assert.match(first.content, /^Message-ID: <one@example\.com>\r$/m);
    assert.match(first.content, /^References: <incident-one@example\.com>\r$/m);
    assert.match(second?.content ?? '', /^References: <incident-one@example\.com>\r$/m);
    assert.match(first.content, /^Auto-Submitted: auto-generated\r$/m);
    assert.match(first.content, /in the last 24 hours: \$12\.50\. The threshold is \$10\.00\./);
    assert.match(first.content, /https:\/\/meter\.example\/\?from=3D/);
    assert.match(second?.content ?? '', /^Subject: .*Resolved/m);
  });

  it('have no headers that a user has chosen, and texts in Chinese', async () => {
    const email = new AlertEmail({ smtpUrl: url(), ...addresses, language: 'zh' });
    await email.send(usageAlert({ key: 'eve\r\nBcc: all@example.com\r\n\r\nbody' }));
    assert.deepEqual(mails[0]?.to, addresses.to);
    assert.ok(!/^Bcc:/m.test(mails[0]?.content ?? ''));
    const subject = /^Subject: ((?:.*\r\n[ \t])*.*)\r$/m.exec(mails[0]?.content ?? '')?.[1] ?? '';
    assert.match(subject, /^=\?UTF-8\?/);
  });

  it('are tried again for temporary replies and wrong passwords, and given up for final ones', async () => {
    const options = { ...addresses, retryDelayMs: 1, maxAttempts: 2 };
    const email = new AlertEmail({ smtpUrl: url(), ...options });
    refusals.push(451);
    assert.equal(await email.send(usageAlert()), true);
    assert.equal(mails.length, 1);
    refusals.push(554);
    assert.equal(await email.send(usageAlert()), true);
    assert.deepEqual(email.status().dropped, { queue_full: 0, refused: 1, failed: 0 });
    const locked = new AlertEmail({ smtpUrl: url('meter:wrong-secret'), ...options });
    assert.equal(await locked.send(usageAlert()), false);
    const test = await locked.test(usageAlert());
    assert.deepEqual([test.result, test.detail], ['retry', 'SMTP 535']);
    assert.ok(!JSON.stringify(test).includes('wrong-secret'));
  });

  it('do not hang where nobody answers', async () => {
    const silent = (await import('node:net')).createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const smtpUrl = `smtp://127.0.0.1:${port}`;
    const email = new AlertEmail({ smtpUrl, ...addresses, timeoutMs: 100, maxAttempts: 1 });
    const before = performance.now();
    assert.equal(await email.send(usageAlert()), false);
    assert.ok(performance.now() - before < 2000);
    const closing = email.send(usageAlert());
    await email.close();
    assert.equal(await closing, false);
    silent.close();
  });

  it('leave no connection behind where a server never comes to an end', async () => {
    const open = new Set<Socket>();
    const endless = createServer((socket) => {
      open.add(socket.on('error', () => undefined).on('close', () => open.delete(socket)));
      socket.write('220 ready\r\n');
      const more = setInterval(() => socket.write('250-more\r\n'), 20);
      socket.on('close', () => clearInterval(more));
    }).listen(0, '127.0.0.1');
    await once(endless, 'listening');
    const { port } = endless.address() as AddressInfo;
    const email = new AlertEmail({
      ...addresses,
      smtpUrl: `smtp://127.0.0.1:${port}`,
      timeoutMs: 200,
      maxAttempts: 2,
      retryDelayMs: 1,
    });
    assert.equal(await email.send(usageAlert()), false);
    await until(() => open.size === 0);
    endless.close();
  });

  it('do not quote a sign-in that the server repeats', async () => {
    const rude = createServer((socket) => {
      socket.on('error', () => undefined).write('220 ready\r\n');
      socket.on('data', (data) => {
        const line = String(data).trim();
        const isSignIn = line.startsWith('AUTH');
        const plain = Buffer.from(line.split(' ').at(-1) ?? '', 'base64').toString();
        const hello = '250-rude\r\n250 AUTH PLAIN\r\n';
        socket.write(isSignIn ? `535 ${line} ${plain.replaceAll('\0', ' ')}\r\n` : hello);
      });
    }).listen(0, '127.0.0.1');
    await once(rude, 'listening');
    const { port } = rude.address() as AddressInfo;
    const smtpUrl = `smtp://meter:p%40ssword@127.0.0.1:${port}`;
    const { answer = '' } = await new AlertEmail({ ...addresses, smtpUrl }).test();
    assert.match(answer, /^535 AUTH PLAIN \*\*\*/);
    assert.doesNotMatch(answer, /p@ssword/);
    rude.close();
  });

  it('are refused wrong addresses, without the password', () => {
    const make = (options: object) => () =>
      new AlertEmail({ smtpUrl: 'smtp://localhost', ...addresses, ...options });
    for (const wrong of [
      { smtpUrl: 'https://user:secret@mail.example' },
      { smtpUrl: 'smtp://' },
      { from: 'nobody' },
      { from: 'a@b.example\r\nBcc: c@d.example' },
      { to: [] },
      { to: 'ops@example.com' },
    ]) {
      assert.throws(make(wrong), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'INVALID_OPTION');
        assert.ok(!inspect(error, { depth: 9 }).includes('secret'));
        return true;
      });
    }
  });
});
