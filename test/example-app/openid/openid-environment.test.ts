import assert from 'node:assert/strict';
import { readEnvironment } from '../../../example-app/environment.ts';

const BASE = {
  TOKEN_METER_OIDC_ISSUER: 'https://login.corp.test/realms/main',
  TOKEN_METER_OIDC_CLIENT_ID: 'token-meter',
};

describe('configuration of OpenID Connect', () => {
  const read = (env: Record<string, string>) => {
    const { openId, problems } = readEnvironment(env);
    return { openId, problems: problems.join('\n') };
  };

  it('is off without variables, also with empty ones', () => {
    assert.deepEqual(read({}), { openId: undefined, problems: '' });
    const empty = { TOKEN_METER_OIDC_ISSUER: '', TOKEN_METER_OIDC_CLIENT_SECRET: ' ' };
    assert.deepEqual(read(empty), { openId: undefined, problems: '' });
  });

  it('needs an issuer and a client id; the rest has defaults', () => {
    const { openId, problems } = read(BASE);
    assert.equal(problems, '');
    assert.deepEqual(
      { ...openId, issuer: openId?.issuer.href },
      {
        issuer: BASE.TOKEN_METER_OIDC_ISSUER,
        clientId: 'token-meter',
        clientSecret: undefined,
        scope: 'openid profile email',
        roles: { claim: 'roles', admin: ['admin'], viewer: ['viewer'] },
      },
    );
  });

  it('takes the claim, its values and the scope as they are called there', () => {
    const { openId } = read({
      ...BASE,
      TOKEN_METER_OIDC_ROLES_CLAIM: 'groups',
      TOKEN_METER_OIDC_ADMIN_ROLES: 'platform, sre ,',
      TOKEN_METER_OIDC_VIEWER_ROLES: 'everyone',
      TOKEN_METER_OIDC_SCOPE: 'openid  groups',
    });
    assert.deepEqual(openId?.roles, {
      claim: 'groups',
      admin: ['platform', 'sre'],
      viewer: ['everyone'],
    });
    assert.equal(openId?.scope, 'openid groups');
  });

  it('says what is missing or wrong, and stays off', () => {
    const { TOKEN_METER_OIDC_ISSUER: issuer, TOKEN_METER_OIDC_CLIENT_ID: id } = BASE;
    const withIssuer = (given: string) => ({ ...BASE, TOKEN_METER_OIDC_ISSUER: given });
    for (const [env, problem] of [
      [{ TOKEN_METER_OIDC_ISSUER: issuer }, /CLIENT_ID is not set/],
      [{ TOKEN_METER_OIDC_CLIENT_ID: id }, /ISSUER is not set/],
      [{ TOKEN_METER_OIDC_CLIENT_SECRET: 'x' }, /ISSUER is not set[^]*CLIENT_ID is not set/],
      [withIssuer('login.corp.test'), /ISSUER is "login\.corp\.test"; allowed: an https address/],
      [withIssuer('http://login.corp.test'), /allowed: an https address/],
      [withIssuer('https://user:pass@login.corp.test'), /allowed: an https address/],
      [withIssuer('https://login.corp.test/?x=1'), /allowed: an https address/],
      [withIssuer('file:///etc/passwd'), /allowed: an https address/],
    ] as const) {
      const { openId, problems } = read(env);
      assert.equal(openId, undefined);
      assert.match(problems, problem);
    }
    assert.ok(read(withIssuer('http://127.0.0.1:9000')).openId);
  });
});
