import assert from 'node:assert/strict';
import {
  Access,
  isLoopback,
  reasonNotToListenOn,
  signInLink,
} from '../../../example-app/middleware/access.ts';

describe('access', () => {
  it('is open to anyone only where no token is configured and nobody signs in otherwise', () => {
    assert.equal(new Access().isOpen, true);
    assert.equal(new Access({ viewerTokens: 'viewer-token-93af' }).isOpen, false);
    assert.equal(new Access({ reporterTokens: 'reporter-token-93' }).isOpen, false);
    assert.equal(new Access({ adminTokens: 'admin-token-93af1' }).isOpen, false);
    assert.equal(new Access({ hasOtherSignIn: true }).isOpen, false);
  });

  it('knows each configured token, its role and its name', () => {
    const access = new Access({ adminTokens: 'alice:secret-a, secret-b', viewerTokens: 'v1' });
    assert.deepEqual(access.principalOfToken('secret-a'), { name: 'alice', role: 'admin' });
    assert.deepEqual(access.principalOfToken('secret-b'), { name: 'admin', role: 'admin' });
    assert.deepEqual(access.principalOfToken('v1'), { name: 'viewer', role: 'viewer' });
    for (const wrong of ['', 'secret', 'alice:secret-a', 'secret-a ', 'undefined']) {
      assert.equal(access.principalOfToken(wrong), undefined);
    }
  });

  it('makes a token of its own, for loopback only, when no admin token is configured', () => {
    const access = new Access({ viewerTokens: 'v1' });
    assert.match(access.generatedToken ?? '', /^[\w-]{32}$/);
    assert.equal(access.principalOfToken(access.generatedToken!)?.role, 'admin');
    assert.equal(
      signInLink('http://127.0.0.1:3000', access),
      `http://127.0.0.1:3000/sign-in#${access.generatedToken}`,
    );
    assert.equal(reasonNotToListenOn('127.0.0.1', access), undefined);
    assert.match(reasonNotToListenOn('0.0.0.0', access) ?? '', /is not set/);
    assert.match(reasonNotToListenOn('::', access) ?? '', /is not set/);
    const configured = new Access({ adminTokens: 'a-long-random-token-1' });
    assert.equal(reasonNotToListenOn('0.0.0.0', configured), undefined);
    for (const weak of ['a', 'secret-secret', 'aaaaaaaaaaaaaaaaaaaaaaaa', 'ada:short']) {
      for (const tokens of [
        { adminTokens: weak },
        { adminTokens: 'a-long-random-token-1', viewerTokens: weak },
      ]) {
        const reason = reasonNotToListenOn('0.0.0.0', new Access(tokens));
        assert.match(reason ?? '', /shorter than 16/, weak);
        assert.equal(reasonNotToListenOn('127.0.0.1', new Access(tokens)), undefined);
      }
    }
    assert.equal(signInLink('http://x', configured), undefined);
    assert.notEqual(new Access().generatedToken, access.generatedToken);
  });

  it('makes none where people sign in otherwise, who may come from the network then', () => {
    const access = new Access({ hasOtherSignIn: true });
    assert.equal(access.generatedToken, undefined);
    assert.equal(access.principalOfToken(''), undefined);
    assert.equal(reasonNotToListenOn('0.0.0.0', access), undefined);
    const weak = new Access({ hasOtherSignIn: true, viewerTokens: 'short' });
    assert.match(reasonNotToListenOn('0.0.0.0', weak) ?? '', /shorter than 16/);
  });

  it('tells loopback names from look-alikes', () => {
    for (const host of ['localhost', '127.0.0.1', '127.8.8.8', '::1', '[::1]', 'LOCALHOST']) {
      assert.equal(isLoopback(host), true, host);
    }
    for (const host of ['localhost.evil.test', '127.0.0.1.evil.test', '0.0.0.0', '10.0.0.1', '']) {
      assert.equal(isLoopback(host), false, host);
    }
  });

  it('reads sessions of every instance with the same secret and tokens, until they expire', () => {
    let now = Date.parse('2026-11-24T05:00:00Z');
    const options = { adminTokens: 'a', sessionSecret: 's', sessionHours: 1, now: () => now };
    const [one, two] = [new Access(options), new Access(options)];
    const { value, expiresAt } = one.createSession({ name: 'admin', role: 'admin' });
    assert.deepEqual(two.sessionOf(value)?.principal, { name: 'admin', role: 'admin' });
    assert.equal(new Access({ ...options, adminTokens: 'b' }).sessionOf(value), undefined);
    assert.equal(new Access({ ...options, sessionSecret: 't' }).sessionOf(value), undefined);
    now = expiresAt.getTime();
    assert.equal(two.sessionOf(value), undefined);
  });

  it('signs by nothing that a holder of a session could try tokens against', () => {
    const options = { adminTokens: 'weak', viewerTokens: 'v' };
    const { value } = new Access(options).createSession({ name: 'viewer', role: 'viewer' });
    assert.equal(new Access(options).sessionOf(value), undefined);
  });

  it('refuses a session that was signed out, and no other', () => {
    const access = new Access({ adminTokens: 'a' });
    const [one, two] = [1, 2].map(() => access.createSession({ name: 'admin', role: 'admin' }));
    access.revoke(access.sessionOf(one!.value)!);
    assert.equal(access.sessionOf(one!.value), undefined);
    assert.ok(access.sessionOf(two!.value));
  });

  it('limits viewers to teams by the name of their token, also in a session', () => {
    const viewerTokens = 'anna:token-of-anna,bob:token-of-bob';
    const options = { adminTokens: 'a', viewerTokens, sessionSecret: 's' };
    const access = new Access({ ...options, viewerTeams: '{"anna":["search","团队, a"]}' });
    const teams = ['search', '团队, a'];
    const anna = access.principalOfToken('token-of-anna');
    assert.deepEqual(anna, { name: 'anna', role: 'viewer', teams });
    assert.deepEqual(access.principalOfToken('token-of-bob'), { name: 'bob', role: 'viewer' });
    const { value } = access.createSession(anna!);
    assert.deepEqual(access.sessionOf(value)?.principal, anna);
    // Sessions of before know nothing of the limit.
    for (const before of [{}, { viewerTeams: '{"bob":["ads"]}' }]) {
      const earlier = new Access({ ...options, ...before });
      const session = earlier.createSession({ name: 'anna', role: 'viewer' }).value;
      assert.ok(earlier.sessionOf(session));
      assert.equal(access.sessionOf(session), undefined);
    }
    const person = { name: 'x@corp.test', role: 'viewer' } as const;
    const unlimited = new Access(options).createSession(person).value;
    assert.equal(new Access({ ...options, teamsClaim: 'teams' }).sessionOf(unlimited), undefined);
  });

  it('does not start with limits that nobody has, or that cannot be read', () => {
    const options = { adminTokens: 'root:a', viewerTokens: 'anna:b' };
    for (const viewerTeams of [
      '{"ana":["search"]}',
      '{"root":["search"]}',
      '{"anna":"search"}',
      '{"anna":[""]}',
      '{"anna":[1]}',
      '{"anna":["search"],"anna":["ads"]}',
      '{"anna":["search"],"\\u0061nna":["ads"]}',
      '{"anna":null}',
      '["search"]',
      'anna=search',
      'null',
    ]) {
      assert.throws(() => new Access({ ...options, viewerTeams }), /TOKEN_METER_VIEWER_TEAMS/);
    }
    const none = new Access({ ...options, viewerTeams: '{"anna":[]}' });
    assert.deepEqual(none.principalOfToken('b')?.teams, []);
  });

  it('refuses sessions that were changed or made up', () => {
    const access = new Access({ adminTokens: 'a', viewerTokens: 'b' });
    const { value } = access.createSession({ name: 'viewer', role: 'viewer' });
    const [payload = '', signature = ''] = value.split('.');
    const raised = Buffer.from(
      Buffer.from(payload, 'base64url').toString().replace('"role":"viewer"', '"role":"admin"'),
    ).toString('base64url');
    const forged = [
      '',
      '.',
      payload,
      `${payload}.`,
      `${raised}.${signature}`,
      `${payload}.${signature}.x`,
      `${payload}.${'A'.repeat(signature.length)}`,
      `${payload}.${'ü'.repeat(signature.length)}`,
    ];
    for (const each of forged) assert.equal(access.sessionOf(each), undefined, each);
  });
});
