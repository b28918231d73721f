import assert from 'node:assert/strict';
import { type Claims, roleIn } from '../../../example-app/openid/roles-claim.ts';

describe('the role of a person', () => {
  const role = (claims: unknown, claim = 'roles'): string | undefined =>
    roleIn(claims as Claims, { claim, admin: ['admin', 'ops'], viewer: ['viewer'] });

  it('is the highest that the claim holds', () => {
    assert.equal(role({ roles: ['viewer', 'ops'] }), 'admin');
    assert.equal(role({ roles: ['staff', 'viewer'] }), 'viewer');
    assert.equal(role({ roles: 'admin' }), 'admin');
  });

  it('is none for other names, types and absent claims', () => {
    for (const roles of [[], ['Admin'], 'admin,viewer', '', null, undefined, { admin: true }, 1]) {
      assert.equal(role({ roles }), undefined, JSON.stringify(roles));
    }
    assert.equal(role({ roles: [['admin']] }), undefined);
    assert.equal(role({}), undefined);
  });

  it('may lie in nested claims, or in one whose name has dots', () => {
    assert.equal(role({ realm_access: { roles: ['viewer'] } }, 'realm_access.roles'), 'viewer');
    assert.equal(
      role({ 'https://corp.test/roles': ['admin'] }, 'https://corp.test/roles'),
      'admin',
    );
    for (const claim of ['realm_access.roles.x', 'realm_access', 'x.y', '__proto__', 'toString']) {
      assert.equal(role({ realm_access: { roles: ['viewer'] } }, claim), undefined, claim);
    }
  });

  it('may be given by address, which counts once it is verified', () => {
    const byEmail = (claims: Claims): string | undefined =>
      roleIn(claims, { claim: 'email', admin: ['ada@corp.test'], viewer: [] });
    assert.equal(byEmail({ email: 'ada@corp.test', email_verified: true }), 'admin');
    for (const email_verified of [false, undefined, 'true']) {
      assert.equal(byEmail({ email: 'ada@corp.test', email_verified }), undefined);
    }
  });
});
