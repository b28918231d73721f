import assert from 'node:assert/strict';
import type { Claims } from '../../../example-app/openid/roles-claim.ts';
import { teamsIn } from '../../../example-app/openid/teams-claim.ts';

describe('the teams of a person', () => {
  const teams = (claims: unknown, claim = 'teams'): readonly string[] =>
    teamsIn(claims as Claims, claim);

  it('are a name or a list of names', () => {
    assert.deepEqual(teams({ teams: 'search' }), ['search']);
    assert.deepEqual(teams({ teams: ['search', 'ads'] }), ['search', 'ads']);
    assert.deepEqual(teams({ org: { teams: ['search'] } }, 'org.teams'), ['search']);
    assert.deepEqual(teams({ 'https://corp.test/teams': 'ads' }, 'https://corp.test/teams'), [
      'ads',
    ]);
  });

  it('are none for any other claim, so that nothing is seen', () => {
    for (const value of [
      undefined,
      null,
      '',
      [],
      [''],
      ['search', 1],
      ['search', ['ads']],
      ['search', null],
      { search: true },
      true,
      7,
    ]) {
      assert.deepEqual(teams({ teams: value }), [], JSON.stringify(value));
    }
    assert.deepEqual(teams({}), []);
    assert.deepEqual(teams({}, '__proto__'), []);
    assert.deepEqual(teams({ teams: ['search'] }, 'teams.length'), []);
  });
});
