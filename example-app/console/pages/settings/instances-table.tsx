import type { JSX } from 'preact';
import type { InstanceList } from '../../api/contract.ts';
import type { Column } from '../../components/column.ts';
import { Badge } from '../../components/controls.tsx';
import { Table, useLocalRows } from '../../components/table.tsx';
import { formatDuration, formatWhole } from '../../formats.ts';
import { isolated } from '../../names.tsx';
import { exporterTones } from '../../panels/health-facts.tsx';
import { t, textOr } from '../../texts.ts';

type Instance = InstanceList['instances'][number];

/** What instances report of their exporter. */
interface ReportedExporter {
  readonly state: string;
  readonly dropped?: Readonly<Record<string, number>>;
  readonly pending?: number;
}

/** Every instance, those with problems first. */
export function InstancesTable({
  list,
  version,
}: {
  readonly list: InstanceList | undefined;
  /** The current one. */
  readonly version: number;
}): JSX.Element {
  const instances = list?.instances ?? [];
  const inNeed = instances.toSorted((a, b) => needOf(b, version) - needOf(a, version));
  const columns = columnsOf(version);
  const local = useLocalRows(inNeed, columns, { name: 'instances' });
  const current = instances.filter((instance) => instance.version >= version).length;
  const counts = { current, total: instances.length, version };
  return (
    <section class="card" id="instances" aria-labelledby="instances-title">
      <Table
        id="instances"
        title={t('settings.instances')}
        columns={columns}
        keyOf={({ id }) => id}
        nothing=""
        canSearch={instances.length > 10}
        tools={
          <span class="muted" id="instances-summary" role="status">
            {instances.length === 0
              ? t('settings.instances.none')
              : t('settings.instances.summary', counts)}
          </span>
        }
        {...local}
      />
    </section>
  );
}

function needOf({ version: own, state, details }: Instance, version: number): number {
  const exporter = exporterOf(details)?.state;
  return (own < version ? 4 : 0) + (state === 'stale' ? 2 : 0) + (exporter === 'failing' ? 1 : 0);
}

function exporterOf(details: unknown): ReportedExporter | undefined {
  const { exporter } = (details ?? {}) as { readonly exporter?: ReportedExporter };
  return exporter;
}

const uptimeOf = ({ started_at: startedAt }: Instance): number =>
  Math.max(0, (Date.now() - Date.parse(startedAt)) / 1000);

function columnsOf(version: number): readonly Column<Instance>[] {
  return [
    {
      key: 'instance',
      label: t('settings.instance'),
      cell: nameOf,
      value: nameOf,
    },
    {
      key: 'version',
      label: t('settings.instance.version'),
      cell: ({ version: own }) =>
        own < version ? (
          <Badge tone="warn">{`${own} · ${t('settings.instance.behind')}`}</Badge>
        ) : (
          <Badge tone="good">{String(own)}</Badge>
        ),
      value: ({ version: own }) => own,
    },
    {
      key: 'state',
      label: t('settings.instance.state'),
      cell: ({ state }) => (
        <Badge tone={state === 'ready' ? 'good' : 'warn'}>
          {textOr(`settings.instance.${state}`, state)}
        </Badge>
      ),
      value: ({ state }) => state,
    },
    {
      key: 'uptime',
      label: t('settings.instance.uptime'),
      cell: (instance) => formatDuration(uptimeOf(instance)),
      value: uptimeOf,
    },
    {
      key: 'exporter',
      label: t('settings.instance.exporter'),
      cell: ({ details }) => <ExporterCell exporter={exporterOf(details)} />,
      value: ({ details }) => exporterOf(details)?.state,
    },
    {
      key: 'pending',
      label: t('health.waiting'),
      isNumber: true,
      cell: ({ details }) => formatWhole(exporterOf(details)?.pending),
      value: ({ details }) => exporterOf(details)?.pending,
    },
  ];
}

function nameOf({ name, host, pid }: Instance): string {
  return `${isolated(name)} · ${isolated(host)} · ${pid}`;
}

function ExporterCell({
  exporter,
}: {
  readonly exporter: ReportedExporter | undefined;
}): JSX.Element {
  if (!exporter) return <>–</>;
  const { state, pending } = exporter;
  const dropped = Object.values(exporter.dropped ?? {}).reduce((sum, count) => sum + count, 0);
  const parts = [textOr(`exporter.${state}`, state)];
  if (pending) parts.push(t('settings.exporter.waiting', { count: formatWhole(pending) }));
  if (dropped > 0) parts.push(t('settings.exporter.dropped', { count: formatWhole(dropped) }));
  const tone = dropped > 0 && state === 'ok' ? 'warn' : (exporterTones[state] ?? 'warn');
  return <Badge tone={tone}>{parts.join(' · ')}</Badge>;
}
