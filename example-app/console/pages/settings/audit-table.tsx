import type { JSX } from 'preact';
import type { AuditEntry } from '../../api/contract.ts';
import type { Column } from '../../components/column.ts';
import { Table, useLocalRows } from '../../components/table.tsx';
import { formatList, formatTime } from '../../formats.ts';
import { Name, isolated } from '../../names.tsx';
import { t } from '../../texts.ts';
import { memberText } from './scope.ts';

export function AuditTable({
  entries,
  problem,
}: {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  readonly problem: string | undefined;
}): JSX.Element {
  const columns: readonly Column<AuditEntry>[] = [
    {
      key: 'version',
      label: t('settings.audit.version'),
      cell: ({ version }) => String(version),
      value: ({ version }) => version,
    },
    {
      key: 'time',
      label: t('settings.audit.time'),
      cell: ({ time }) => formatTime(time),
      value: ({ time }) => time,
    },
    {
      key: 'actor',
      label: t('settings.audit.actor'),
      cell: ({ actor }) => <Name>{actor}</Name>,
      value: ({ actor }) => actor,
    },
    {
      key: 'change',
      label: t('settings.audit.change'),
      cell: describeChange,
      value: describeChange,
    },
    {
      key: 'reason',
      label: t('settings.audit.reason'),
      cell: ({ reason = '' }) => <Name>{reason}</Name>,
      value: ({ reason }) => reason,
    },
  ];
  const local = useLocalRows(entries, columns, { name: 'settings-audit' });
  return (
    <>
      {problem !== undefined && (
        <p class="muted" id="audit-note">
          {t('settings.audit.unavailable', { detail: problem })}
        </p>
      )}
      <Table
        id="audit"
        title={t('settings.audit')}
        columns={columns}
        keyOf={({ version, epoch }) => `${epoch ?? ''} ${version}`}
        nothing={problem === undefined ? t('settings.audit.none') : ''}
        {...local}
      />
    </>
  );
}

export function describeChange({ action, from, to, until }: AuditEntry): string {
  const change = changedText({ from, to });
  if (action === 'change' && until !== undefined) {
    return t('settings.audit.until', { change, time: formatTime(until) });
  }
  if (action === 'end') return `${change} (${t('settings.audit.end')})`;
  return action === 'change' ? change : t(`settings.audit.${action}`);
}

function changedText({ from, to }: Pick<AuditEntry, 'from' | 'to'>): string {
  return formatList(
    Object.keys(to).map((key) =>
      t('settings.audit.fromTo', {
        name: memberText(key),
        from: valueText(from[key]),
        to: valueText(to[key]),
      }),
    ),
  );
}

function valueText(value: unknown): string {
  if (typeof value === 'boolean') return t(value ? 'settings.on' : 'settings.off');
  if (value === null || value === undefined) return t('settings.asAll');
  return isolated(typeof value === 'string' ? value : JSON.stringify(value));
}
