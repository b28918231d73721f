import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { useLoader } from '../api/loader.ts';
import { SLOTS } from '../components/chart/colours.ts';
import { CallPages } from '../panels/call-pages.ts';
import { CallsTable } from '../panels/calls-table.tsx';
import { ConversationPanel } from '../panels/conversation-panel.tsx';
import { CoursePanel } from '../panels/course-panel.tsx';
import { FailuresPanel } from '../panels/failures-panel.tsx';
import { KeyTable, tableOf } from '../panels/key-table.tsx';
import { Empty } from '../panels/notices.tsx';
import * as questions from '../panels/questions.ts';
import { RangePage } from '../panels/range-page.tsx';
import { Tiles } from '../panels/tiles.tsx';
import { TopList } from '../panels/top-list.tsx';
import { Name, nameOf } from '../names.tsx';
import { t } from '../texts.ts';
import { view } from '../view/current-view.ts';
import { fileOf } from '../view/parameters.ts';
import { searchOf, withFilter } from '../view/view.ts';

const LISTED = 8;
const CALLS_A_PAGE = 15;
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
  const pages = useMemo(() => new CallPages(CALLS_A_PAGE), []);
  useEffect(() => pages.reset(), [shown]);
  const loader = useLoader(
    {
      sums: {
        course: questions.course,
        before: questions.before,
        gaps: (api) => api.gaps(),
        refused: (api) => api.gapsRefused(),
        stacked: questions.stacked(SLOTS),
        models: questions.top('model', LISTED),
        conversation: questions.conversation,
        table: tableOf(part),
        calls: pages.question,
        failures: questions.failures,
      },
      scans: { scan: questions.scan },
    },
    shown,
  );
  const { answers, changing } = loader.state.value;
  const { course, conversation } = answers;
  const gaps = answers.gaps?.value;
  const isEmpty = course?.value.total.calls === 0;
  const [value] = shown.filters[dimension] ?? [];
  return (
    <RangePage
      id={`${dimension}-page`}
      title={<Name>{nameOf(dimension, value)}</Name>}
      loader={loader}
      isEmpty={isEmpty}
      hasMeasure
      file={fileOf('/api/usage/export.csv', shown)}
    >
      <Tiles course={course} scan={answers.scan} before={answers.before?.value} only={TILES} />
      {isEmpty && <Empty isNever={false} />}
      {conversation?.value && <ConversationPanel conversation={conversation.value.found} />}
      {!isEmpty && (
        <div class="panels">
          <CoursePanel answer={answers.stacked} gaps={gaps} />
          <TopList dimension="model" answer={answers.models} width="half" />
          <FailuresPanel answer={course} newest={answers.failures} gaps={gaps} />
          <div class="whole">
            <KeyTable
              id={`${part}s`}
              title={t(`key.${part}s`)}
              dimension={part}
              answer={answers.table}
              busy={changing}
              hrefOf={(name) => `/user${searchOf(withFilter(shown, part, [name]))}`}
            />
          </div>
          <CallsTable
            title={t('calls.title')}
            page={answers.calls?.value}
            pages={pages}
            onTurn={() => loader.load(['calls'])}
          />
        </div>
      )}
    </RangePage>
  );
}
