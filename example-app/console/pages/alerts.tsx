import type { JSX } from 'preact';
import { callApi, get } from '../api/client.ts';
import type { AlertEntry, AlertRule, AlertsState } from '../api/contract.ts';
import { type Action, useAction, useAnswer } from '../api/use-answer.ts';
import type { Column } from '../components/column.ts';
import { Badge, Banner, Waiting } from '../components/controls.tsx';
import { CardTable } from '../components/card-table.tsx';
import { formatMoney, formatMs, formatTime, formatWhole } from '../formats.ts';
import { Name, dimensionName, isolated } from '../names.tsx';
import { Problem } from '../panels/notices.tsx';
import { isAdmin } from '../session.ts';
import { t, textOr } from '../texts.ts';

type ActiveAlert = AlertsState['active'][number];

const EVERY_MS = 10_000;
/** How long a rule may be muted by a click, in minutes. */
const MUTES = [120, 1440, 10_080] as const;

const tones = { ok: 'good', warning: 'warn', alert: 'bad' } as const;

function amountOf(metric: string, value: number | undefined): string {
  return metric === 'costUsd' ? formatMoney(value) : formatWhole(value);
}

const pathOf = (id: string, what: string): string =>
  `/api/alerts/${encodeURIComponent(id)}/${what}`;

/** Rules, what is not ok, and what has happened. */
export function AlertsPage(): JSX.Element {
  const state = useAnswer(() => get('/api/alerts'), EVERY_MS);
  const history = useAnswer(() => get('/api/alerts/history'), EVERY_MS);
  const action = useAction(async () => {
    await Promise.all([state.reload(), history.reload()]);
  });
  const problem = state.problem ?? history.problem;
  return (
    <>
      <div class="row spread">
        <h1>{t('alertsPage.title')}</h1>
        {isAdmin() && (
          <button
            type="button"
            id="test-channels"
            disabled={action.isRunning}
            onClick={() => void action.run(() => callApi('/api/alerts/test', { method: 'POST' }))}
          >
            {t('alertsPage.test')}
          </button>
        )}
      </div>
      <Problem problem={problem} onRetry={() => void state.reload()} />
      <Banner tone="bad">{action.problem}</Banner>
      {state.value ? (
        <>
          <Active alerts={state.value.active} action={action} />
          <Rules rules={state.value.rules} action={action} />
          <Channels state={state.value} />
        </>
      ) : (
        <Waiting />
      )}
      {history.value && <History entries={history.value.entries} />}
    </>
  );
}

function Active({
  alerts,
  action,
}: {
  readonly alerts: readonly ActiveAlert[];
  readonly action: Action;
}): JSX.Element {
  const columns: readonly Column<ActiveAlert>[] = [
    {
      key: 'level',
      label: t('alertsPage.level'),
      cell: ({ level }) => <Badge tone={tones[level]}>{t(`alert.${level}`)}</Badge>,
      value: ({ level }) => level,
    },
    {
      key: 'rule',
      label: t('alertsPage.rule'),
      cell: ({ rule }) => <Name>{rule}</Name>,
      value: ({ rule }) => rule,
    },
    {
      key: 'key',
      label: t('alertsPage.who'),
      cell: ({ key }) => <Name>{key ?? '–'}</Name>,
      value: ({ key }) => key ?? '',
    },
    {
      key: 'value',
      label: t('alertsPage.value'),
      isNumber: true,
      cell: ({ metric, value, threshold, no_data: none }) =>
        none
          ? t('alertsPage.noData')
          : `${amountOf(metric, value)} / ${amountOf(metric, threshold)}`,
      value: ({ value }) => value,
    },
    {
      key: 'since',
      label: t('alertsPage.since'),
      cell: ({ since }) => formatTime(since),
      value: ({ since }) => since,
    },
    {
      key: 'acknowledge',
      label: t('alertsPage.acknowledged'),
      cell: ({ id, acknowledged }) =>
        acknowledged ? (
          <Name>{acknowledged.by}</Name>
        ) : (
          isAdmin() && (
            <button
              type="button"
              class="plain"
              disabled={action.isRunning}
              onClick={() =>
                void action.run(() =>
                  callApi(pathOf(id, 'acknowledge'), { method: 'POST', body: {} }),
                )
              }
            >
              {t('alertsPage.acknowledge')}
            </button>
          )
        ),
    },
  ];
  return (
    <CardTable
      all={alerts}
      id="active-alerts"
      title={t('alertsPage.active')}
      columns={columns}
      keyOf={({ id }) => id}
      nothing={t('alertsPage.allWell')}
    />
  );
}

function Rules({
  rules,
  action,
}: {
  readonly rules: readonly AlertRule[];
  readonly action: Action;
}): JSX.Element {
  const columns: readonly Column<AlertRule>[] = [
    {
      key: 'name',
      label: t('alertsPage.rule'),
      cell: ({ name }) => <Name>{name}</Name>,
      value: ({ name }) => name,
    },
    {
      key: 'kind',
      label: t('alertsPage.kind'),
      cell: ({ kind }) => textOr(`alertKind.${kind}`, kind),
      value: ({ kind }) => kind,
    },
    {
      key: 'of',
      label: t('alertsPage.of'),
      cell: ({ metric, by, window_ms: window }) =>
        [
          metric === undefined ? '' : textOr(`alertMetric.${metric}`, metric),
          by === undefined || by === 'all' ? '' : dimensionName(by),
          window === undefined ? '' : formatMs(window),
        ]
          .filter((part) => part !== '')
          .join(' · '),
      value: ({ metric }) => metric,
    },
    ...(['warning', 'alert'] as const).map((level): Column<AlertRule> => ({
      key: level,
      label: t(`alert.${level}`),
      isNumber: true,
      cell: (rule) => (rule[level] === undefined ? '–' : amountOf(rule.metric ?? '', rule[level])),
      value: (rule) => rule[level],
    })),
    {
      key: 'mute',
      label: t('alertsPage.muted'),
      cell: ({ id, muted }) => <Mute id={id} muted={muted} action={action} />,
    },
  ];
  return (
    <CardTable
      all={rules}
      id="alert-rules"
      title={t('alertsPage.rules')}
      columns={columns}
      keyOf={({ id }) => id}
      nothing={t('alertsPage.noRules')}
    />
  );
}

function Mute({
  id,
  muted,
  action: { isRunning, run },
}: Pick<AlertRule, 'id' | 'muted'> & { readonly action: Action }): JSX.Element {
  if (muted) {
    return (
      <>
        {t('alertsPage.mutedUntil', { time: formatTime(muted.until), name: muted.by })}{' '}
        {isAdmin() && (
          <button
            type="button"
            class="plain"
            disabled={isRunning}
            onClick={() => void run(() => callApi(pathOf(id, 'mute'), { method: 'DELETE' }))}
          >
            {t('alertsPage.unmute')}
          </button>
        )}
      </>
    );
  }
  if (!isAdmin()) return <>–</>;
  return (
    <span class="row">
      {MUTES.map((minutes) => (
        <button
          type="button"
          class="plain"
          key={minutes}
          disabled={isRunning}
          onClick={() =>
            void run(() => callApi(pathOf(id, 'mute'), { method: 'POST', body: { minutes } }))
          }
        >
          {t(`alertsPage.mute.${minutes}`)}
        </button>
      ))}
    </span>
  );
}

function Channels({
  state: { channels, undelivered, last_evaluated: evaluated, last_error: error },
}: {
  readonly state: AlertsState;
}): JSX.Element {
  return (
    <p class="muted" id="channels">
      {evaluated !== undefined && `${t('alertsPage.evaluated', { time: formatTime(evaluated) })} `}
      {channels.length > 0 && t('alertsPage.sent', { channels: channels.map(sentTo).join(', ') })}
      {undelivered !== undefined &&
        undelivered > 0 &&
        ` · ${t('alertsPage.undelivered', { count: undelivered })}`}
      {error && ` · ${error.message}`}
    </p>
  );
}

const sentTo = ({ name, delivered }: AlertsState['channels'][number]): string =>
  `${isolated(name)} (${formatWhole(delivered)})`;

function History({ entries }: { readonly entries: readonly AlertEntry[] }): JSX.Element {
  const columns: readonly Column<AlertEntry>[] = [
    {
      key: 'time',
      label: t('calls.time'),
      cell: ({ time }) => formatTime(time),
      value: ({ time }) => time,
    },
    {
      key: 'event',
      label: t('alertsPage.event'),
      cell: ({ event, level }) =>
        event === 'level' && level !== undefined ? (
          <Badge tone={tones[level]}>{t(`alert.${level}`)}</Badge>
        ) : (
          textOr(`alertEvent.${event}`, event)
        ),
      value: ({ event, level }) => (event === 'level' ? level : event),
    },
    {
      key: 'rule',
      label: t('alertsPage.rule'),
      cell: ({ rule, key }) => <Name>{key ? `${rule} (${key})` : rule}</Name>,
      value: ({ rule }) => rule,
    },
    {
      key: 'value',
      label: t('alertsPage.value'),
      isNumber: true,
      cell: ({ metric = '', value }) => amountOf(metric, value),
      value: ({ value }) => value,
    },
    {
      key: 'actor',
      label: t('settings.audit.actor'),
      cell: ({ actor = '', note = '' }) => (
        <Name>{[actor, note].filter((part) => part !== '').join(': ')}</Name>
      ),
      value: ({ actor }) => actor,
    },
  ];
  return (
    <CardTable
      all={entries}
      id="alert-history"
      title={t('alertsPage.history')}
      columns={columns}
      keyOf={({ id, time }) => `${id} ${time}`}
      nothing={t('alertsPage.noHistory')}
      canSearch
      size={20}
    />
  );
}
