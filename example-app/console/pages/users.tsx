import type { JSX } from 'preact';
import { useLoader } from '../api/loader.ts';
import { KeyTable, tableOf } from '../panels/key-table.tsx';
import { RangePage } from '../panels/range-page.tsx';
import { t } from '../texts.ts';
import { linkTo, view } from '../view/current-view.ts';

/** Every user of a range. */
export function UsersPage(): JSX.Element {
  const loader = useLoader({ sums: { table: tableOf('user') } }, view.value);
  const { answers, changing } = loader.state.value;
  return (
    <RangePage id="users-page" title={t('users.title')} loader={loader}>
      <KeyTable
        id="users"
        title={t('users.all')}
        dimension="user"
        answer={answers.table}
        busy={changing}
        hrefOf={(user) => linkTo('/user', view.value.range, 'user', user)}
      />
    </RangePage>
  );
}
