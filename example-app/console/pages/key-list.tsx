import type { JSX } from 'preact';
import { useLoader } from '../api/loader.ts';
import { KeyTable, tableOf, tableShown } from '../panels/key-table.tsx';
import { RangePage } from '../panels/range-page.tsx';
import { t } from '../texts.ts';
import { linkTo, view } from '../view/current-view.ts';

/** Every user of a range. */
export function UsersPage(): JSX.Element {
  return <KeyList dimension="user" />;
}

/** Every team of a range. */
export function TeamsPage(): JSX.Element {
  return <KeyList dimension="team" />;
}

function KeyList({ dimension }: { readonly dimension: 'user' | 'team' }): JSX.Element {
  const { first, whole } = tableOf(dimension);
  const loader = useLoader({ sums: { first }, scans: { whole } }, view.value);
  const { answers, changing } = loader.state.value;
  return (
    <RangePage id={`${dimension}s-page`} title={t(`${dimension}s.title`)} loader={loader}>
      <KeyTable
        id={`${dimension}s`}
        title={t(`${dimension}s.all`)}
        dimension={dimension}
        answer={tableShown(answers.first, answers.whole)}
        busy={changing}
        hrefOf={(value) => linkTo(`/${dimension}`, view.value.range, dimension, value)}
      />
    </RangePage>
  );
}
