import type { JSX } from 'preact';
import { health } from '../api/live.ts';
import { useLoader } from '../api/loader.ts';
import { Facts, Panel } from '../components/controls.tsx';
import { FailuresPanel } from '../panels/failures-panel.tsx';
import { healthFacts, qualityFacts } from '../panels/health-facts.tsx';
import { HeatMap } from '../panels/heat-map.tsx';
import { LatencyPanel } from '../panels/latency-panel.tsx';
import { ActiveAlerts } from '../panels/notices.tsx';
import * as questions from '../panels/questions.ts';
import { TopList } from '../panels/top-list.tsx';
import { LISTED, UsagePage, useCallPages, usageScans, usageSums } from '../panels/usage-page.tsx';
import { t } from '../texts.ts';
import { addressOf, view } from '../view/current-view.ts';

/** Everything of a range. */
export function Overview(): JSX.Element {
  const pages = useCallPages();
  const loader = useLoader(
    {
      sums: {
        ...usageSums(pages),
        health: questions.health,
        never: questions.never,
        hourly: questions.hourly,
      },
      scans: {
        ...usageScans,
        users: questions.top('user', LISTED),
        // Hardly any was there in the period before, and each is a scan of its own.
        conversations: questions.top('conversation', LISTED, { compare: undefined }),
      },
    },
    view.value,
  );
  const { answers } = loader.state.value;
  const { course, models, users, conversations } = answers;
  const gaps = answers.gaps?.value;
  const current = health.value ?? answers.health?.value;
  const isEmpty = course?.value.total.calls === 0;
  return (
    <UsagePage
      id="dashboard"
      title={t('dashboard.title')}
      loader={loader}
      pages={pages}
      health={current}
      isNever={answers.never?.value === true}
      known={{
        user: questions.namesOf(users, 'user'),
        model: questions.namesOf(models, 'model'),
        conversation: questions.namesOf(conversations, 'conversation'),
        error: questions.namesOf(answers.failures, 'error'),
      }}
      notice={current && <ActiveAlerts alerts={current.alerts} />}
      always={
        <Panel id="health" title={t('health.title')} width={isEmpty ? 'whole' : 'half'}>
          <Facts id="exporter" facts={current ? healthFacts(current) : []} />
          <h3>{t('health.quality')}</h3>
          <Facts
            id="quality"
            facts={course ? qualityFacts(course.value.total, models?.value.rows ?? []) : []}
          />
        </Panel>
      }
    >
      <TopList dimension="user" answer={users} more={addressOf('/users')} />
      <TopList dimension="model" answer={models} more={addressOf('/models')} />
      <TopList dimension="conversation" answer={conversations} />
      <HeatMap answer={answers.hourly} />
      <LatencyPanel answer={answers.scan} gaps={gaps} />
      <FailuresPanel answer={course} classes={answers.failures} gaps={gaps} />
    </UsagePage>
  );
}
