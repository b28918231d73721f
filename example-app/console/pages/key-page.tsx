import type { JSX } from 'preact';
import { useLoader } from '../api/loader.ts';
import { get } from '../api/client.ts';
import { useAnswer } from '../api/use-answer.ts';
import { BudgetAccounts } from '../panels/budget-accounts.tsx';
import { FailuresPanel } from '../panels/failures-panel.tsx';
import { KeyTable, tableOf, tableShown } from '../panels/key-table.tsx';
import { TopList } from '../panels/top-list.tsx';
import { UserData } from '../panels/user-data.tsx';
import { UsagePage, useCallPages, usageScans, usageSums } from '../panels/usage-page.tsx';
import { Name, nameOf } from '../names.tsx';
import { isAdmin } from '../session.ts';
import { t } from '../texts.ts';
import { view } from '../view/current-view.ts';
import { searchOf, withFilter } from '../view/view.ts';

const BUDGETS_EVERY_MS = 10_000;
const TILES = ['calls', 'tokens', 'cost', 'p95', 'conversations', 'errors'];

/** One user: course, models, conversations and calls. The user is the filter of the address. */
export function UserPage(): JSX.Element {
  return <KeyPage dimension="user" />;
}

/** One team: course, models, users and calls. */
export function TeamPage(): JSX.Element {
  return <KeyPage dimension="team" />;
}

/** What is listed of a user or a team. */
const PARTS = { user: 'conversation', team: 'user' } as const;

function KeyPage({ dimension }: { readonly dimension: 'user' | 'team' }): JSX.Element {
  const part = PARTS[dimension];
  const shown = view.value;
  const { first, whole } = tableOf(part);
  const pages = useCallPages();
  const loader = useLoader(
    { sums: { ...usageSums(pages), first }, scans: { ...usageScans, whole } },
    shown,
  );
  const { answers, changing } = loader.state.value;
  const [value] = shown.filters[dimension] ?? [];
  const budgets = useAnswer(
    () => get('/api/budgets/status', { [dimension]: value }),
    BUDGETS_EVERY_MS,
  );
  const accounts = budgets.value?.accounts ?? [];
  return (
    <UsagePage
      id={`${dimension}-page`}
      title={<Name>{nameOf(dimension, value)}</Name>}
      loader={loader}
      pages={pages}
      tiles={TILES}
      always={
        <>
          {accounts.length > 0 && (
            <div class="whole">
              <BudgetAccounts accounts={accounts} />
            </div>
          )}
          {dimension === 'user' && value && isAdmin() && (
            <UserData user={value} onErased={() => void loader.load()} />
          )}
        </>
      }
    >
      <TopList dimension="model" answer={answers.models} width="half" />
      <FailuresPanel
        answer={answers.course}
        classes={answers.failures}
        gaps={answers.gaps?.value}
      />
      <div class="whole">
        <KeyTable
          id={`${part}s`}
          title={t(`key.${part}s`)}
          dimension={part}
          answer={tableShown(answers.first, answers.whole)}
          busy={changing}
          hrefOf={(name) => `/user${searchOf(withFilter(shown, part, [name]))}`}
        />
      </div>
    </UsagePage>
  );
}
