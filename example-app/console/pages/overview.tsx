import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { health } from '../api/live.ts';
import { useLoader } from '../api/loader.ts';
import { Facts, Panel } from '../components/controls.tsx';
import { SLOTS } from '../components/chart/colours.ts';
import { CallPages } from '../panels/call-pages.ts';
import { CallsTable } from '../panels/calls-table.tsx';
import { ConversationPanel } from '../panels/conversation-panel.tsx';
import { CoursePanel } from '../panels/course-panel.tsx';
import { FailuresPanel } from '../panels/failures-panel.tsx';
import { healthFacts, qualityFacts } from '../panels/health-facts.tsx';
import { HeatMap } from '../panels/heat-map.tsx';
import { LatencyPanel } from '../panels/latency-panel.tsx';
import { ActiveAlerts, Empty } from '../panels/notices.tsx';
import * as questions from '../panels/questions.ts';
import { Tiles } from '../panels/tiles.tsx';
import { RangePage } from '../panels/range-page.tsx';
import { TopList } from '../panels/top-list.tsx';
import { t } from '../texts.ts';
import { addressOf, view } from '../view/current-view.ts';
import { fileOf } from '../view/parameters.ts';

/** Rows of a top list. */
const LISTED = 8;
const CALLS_A_PAGE = 15;

/** Everything of a range. */
export function Overview(): JSX.Element {
  const shown = view.value;
  const pages = useMemo(() => new CallPages(CALLS_A_PAGE), []);
  useEffect(() => pages.reset(), [shown]);
  const loader = useLoader(
    {
      sums: {
        course: questions.course,
        before: questions.before,
        health: (api) => api.health(),
        gaps: (api) => api.gaps(),
        refused: (api) => api.gapsRefused(),
        never: questions.never,
        stacked: questions.stacked(SLOTS),
        models: questions.top('model', LISTED),
        calls: pages.question,
        hourly: questions.hourly,
        failures: questions.failures,
        conversation: questions.conversation,
      },
      scans: {
        users: questions.top('user', LISTED),
        conversations: questions.top('conversation', LISTED),
        scan: questions.scan,
      },
    },
    shown,
  );
  const { answers } = loader.state.value;
  const { course, conversation, models, users, conversations } = answers;
  const gaps = answers.gaps?.value;
  const current = health.value ?? answers.health?.value;
  const isEmpty = course?.value.total.calls === 0;
  return (
    <RangePage
      id="dashboard"
      title={t('dashboard.title')}
      loader={loader}
      isEmpty={isEmpty}
      hasMeasure
      file={fileOf('/api/usage/export.csv', shown)}
      known={{
        user: questions.namesOf(users, 'user'),
        model: questions.namesOf(models, 'model'),
        conversation: questions.namesOf(conversations, 'conversation'),
      }}
    >
      {current && <ActiveAlerts alerts={current.alerts} />}
      <Tiles course={course} scan={answers.scan} before={answers.before?.value} health={current} />
      {isEmpty && <Empty isNever={answers.never?.value === true} />}
      {conversation?.value && <ConversationPanel conversation={conversation.value.found} />}
      <div class="panels">
        {!isEmpty && (
          <>
            <CoursePanel answer={answers.stacked} gaps={gaps} />
            <TopList dimension="user" answer={users} more={addressOf('/users')} />
            <TopList dimension="model" answer={models} more={addressOf('/models')} />
            <TopList dimension="conversation" answer={conversations} />
            <HeatMap answer={answers.hourly} />
            <LatencyPanel answer={answers.scan} gaps={gaps} />
            <FailuresPanel answer={course} newest={answers.failures} gaps={gaps} />
          </>
        )}
        <Panel id="health" title={t('health.title')} width={isEmpty ? 'whole' : 'half'}>
          <Facts id="exporter" facts={current ? healthFacts(current) : []} />
          <h3>{t('health.quality')}</h3>
          <Facts
            id="quality"
            facts={course ? qualityFacts(course.value.total, models?.value.rows ?? []) : []}
          />
        </Panel>
        {!isEmpty && (
          <CallsTable
            title={t('calls.title')}
            page={answers.calls?.value}
            pages={pages}
            onTurn={() => loader.load(['calls'])}
          />
        )}
      </div>
    </RangePage>
  );
}
