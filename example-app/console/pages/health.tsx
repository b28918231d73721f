import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get } from '../api/client.ts';
import { health, instances, settings, useLiveSettings } from '../api/live.ts';
import { Facts, Panel, Waiting } from '../components/controls.tsx';
import { healthFacts } from '../panels/health-facts.tsx';
import { ActiveAlerts, Problem } from '../panels/notices.tsx';
import { t } from '../texts.ts';
import { InstancesTable } from './settings/instances-table.tsx';

/** Whether the numbers can be believed: every instance, and the exporter of the one that answers. */
export function HealthPage(): JSX.Element {
  useLiveSettings();
  const [problem, setProblem] = useState<unknown>();
  const load = async (): Promise<void> => {
    try {
      health.value = await get('/api/usage/health');
      setProblem(undefined);
    } catch (error) {
      setProblem(error);
    }
  };
  // The event stream brings it too, unless it is refused.
  useEffect(() => {
    if (!health.value) void load();
  }, []);
  const current = health.value;
  return (
    <>
      <h1>{t('fleet.title')}</h1>
      <Problem problem={problem} onRetry={() => void load()} />
      {current && <ActiveAlerts alerts={current.alerts} />}
      <InstancesTable list={instances.value} version={settings.value?.version ?? 0} />
      <Panel id="health" title={t('fleet.own')}>
        {current ? <Facts id="exporter" facts={healthFacts(current)} /> : <Waiting />}
      </Panel>
    </>
  );
}
