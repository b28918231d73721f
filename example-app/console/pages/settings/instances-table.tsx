import type { JSX } from 'preact';
import type { InstanceList } from '../../api/contract.ts';
import type { Column } from '../../components/column.ts';
import { Badge } from '../../components/controls.tsx';
import { Table, useLocalRows } from '../../components/table.tsx';
import { formatDuration, formatWhole } from '../../formats.ts';
import { isolated } from '../../names.tsx';
import {
  type ExporterCounts,
  droppedOf,
  exporterTones,
  pendingOf,
} from '../../panels/health-facts.tsx';
import { t, textOr } from '../../texts.ts';

type Instance = InstanceList['instances'][number];

/** What instances report of their exporter. */
type ReportedExporter = ExporterCounts & { readonly state: string };

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
  const exporter = exporterOf(details);
  const isWaiting = exporter?.state === 'failing' || exporter?.state === 'retrying';
  const needs = [own < version, state === 'stale', Boolean(droppedOf(exporter)), isWaiting];
  return needs.reduce((sum, isTrue) => sum * 2 + Number(isTrue), 0);
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
      cell: ({ details }) => formatWhole(pendingOf(exporterOf(details))),
      value: ({ details }) => pendingOf(exporterOf(details)),
    },
    {
      key: 'dropped',
      label: t('health.dropped'),
      isNumber: true,
      cell: ({ details }) => <DroppedCell exporter={exporterOf(details)} />,
      value: ({ details }) => droppedOf(exporterOf(details)),
    },
  ];
}

function nameOf({ name, host, pid }: Instance): string {
  return `${isolated(name)} · ${isolated(host)} · ${pid}`;
}

interface CellProps {
  readonly exporter: ReportedExporter | undefined;
}

function ExporterCell({ exporter }: CellProps): JSX.Element {
  if (!exporter) return <>–</>;
  const { state } = exporter;
  return <Badge tone={exporterTones[state] ?? 'warn'}>{textOr(`exporter.${state}`, state)}</Badge>;
}

function DroppedCell({ exporter }: CellProps): JSX.Element {
  const dropped = droppedOf(exporter);
  const count = formatWhole(dropped);
  return dropped ? <Badge tone="bad">{count}</Badge> : <>{count}</>;
}
