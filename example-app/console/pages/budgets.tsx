import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { callApi, get } from '../api/client.ts';
import type { Budget } from '../api/contract.ts';
import { type Action, useAction, useAnswer } from '../api/use-answer.ts';
import type { Column } from '../components/column.ts';
import { Banner, Waiting } from '../components/controls.tsx';
import { Choice, Field, Form } from '../components/form.tsx';
import { CardTable } from '../components/card-table.tsx';
import { Name, dimensionName, isolated } from '../names.tsx';
import { Problem } from '../panels/notices.tsx';
import { BudgetAccounts, amountOf } from '../panels/budget-accounts.tsx';
import { isAdmin } from '../session.ts';
import { t, textOr } from '../texts.ts';

const EVERY_MS = 5000;
const EACH = ['', 'user', 'team', 'model'] as const;
const WINDOWS = ['day', 'week', 'month'] as const;
const UNITS = ['usd', 'tokens', 'calls'] as const;
const MODES = ['warn', 'block'] as const;

interface Defined {
  readonly id: string;
  readonly budget: Budget;
}

const pathOf = (id: string): string => `/api/settings/budgets/${encodeURIComponent(id)}`;

/** What may be spent, by whom, and what has been. */
export function BudgetsPage(): JSX.Element {
  const status = useAnswer(() => get('/api/budgets/status'), EVERY_MS);
  const defined = useAnswer(() => get('/api/settings/budgets'), EVERY_MS);
  const reload = async (): Promise<void> => {
    await Promise.all([status.reload(), defined.reload()]);
  };
  const action = useAction(reload);
  const budgets = Object.entries(defined.value ?? {}).map(([id, budget]) => ({ id, budget }));
  return (
    <>
      <h1>{t('budgets.title')}</h1>
      <p class="muted">{t('budgets.intro')}</p>
      <Problem problem={status.problem ?? defined.problem} onRetry={() => void reload()} />
      <Banner tone="bad">{action.problem}</Banner>
      {defined.value && status.value ? (
        <>
          <BudgetAccounts accounts={status.value.accounts} />
          <Definitions budgets={budgets} action={action} />
          {isAdmin() && <NewBudget onSaved={reload} />}
        </>
      ) : (
        <Waiting />
      )}
    </>
  );
}

function Definitions({
  budgets,
  action,
}: {
  readonly budgets: readonly Defined[];
  readonly action: Action;
}): JSX.Element {
  const columns: readonly Column<Defined>[] = [
    {
      key: 'id',
      label: t('budgets.budget'),
      cell: ({ id }) => <Name>{id}</Name>,
      value: ({ id }) => id,
    },
    {
      key: 'scope',
      label: t('budgets.who'),
      cell: ({ budget }) => scopeText(budget),
      value: ({ budget }) => scopeText(budget),
    },
    {
      key: 'window',
      label: t('budgets.window'),
      cell: ({ budget }) => windowText(budget),
      value: ({ budget }) => windowText(budget),
    },
    {
      key: 'limit',
      label: t('budgets.limit'),
      isNumber: true,
      cell: ({ budget }) => limitText(budget),
      value: ({ budget }) => limitText(budget),
    },
    {
      key: 'mode',
      label: t('budgets.state'),
      cell: ({ budget: { mode = 'warn' } }) => t(`budgets.mode.${mode}`),
      value: ({ budget: { mode = 'warn' } }) => mode,
    },
    ...(isAdmin()
      ? [
          {
            key: 'delete',
            label: t('budgets.delete'),
            cell: ({ id }: Defined) => (
              <button
                type="button"
                class="plain"
                disabled={action.isRunning}
                onClick={() => {
                  if (!confirm(t('budgets.deleteSure', { name: id }))) return;
                  void action.run(() => callApi(pathOf(id), { method: 'DELETE' }));
                }}
              >
                {t('budgets.delete')}
              </button>
            ),
          },
        ]
      : []),
  ];
  return (
    <CardTable
      all={budgets}
      id="budgets"
      title={t('budgets.definitions')}
      columns={columns}
      keyOf={({ id }) => id}
      nothing={t('budgets.none')}
    />
  );
}

function scopeText({ scope = {} }: Budget): string {
  const { each = [], ...only } = scope;
  const parts = [
    ...each.map((name) => t('budgets.each', { name: dimensionName(name) })),
    ...Object.entries(only).map(
      ([name, value]) => `${dimensionName(name)}: ${isolated([value].flat().join(', '))}`,
    ),
  ];
  return parts.length === 0 ? t('budgets.all') : parts.join(' · ');
}

function windowText({ window }: Budget): string {
  if (typeof window === 'string') return textOr(`budgets.window.${window}`, window);
  if ('rolling' in window) return t('budgets.rolling', { span: window.rolling });
  const unit = textOr(`budgets.window.${window.calendar}`, window.calendar);
  return window.time_zone === undefined ? unit : `${unit}, ${window.time_zone}`;
}

function limitText({ limit }: Budget): string {
  return Object.entries(limit)
    .map(
      // An amount of money has its unit.
      ([unit, value]) =>
        amountOf(unit, Number(value)) +
        (unit === 'usd' ? '' : ` ${textOr(`budgets.unit.${unit}`, unit)}`),
    )
    .join(' · ');
}

function NewBudget({ onSaved }: { readonly onSaved: () => Promise<void> }): JSX.Element {
  const [id, setId] = useState('');
  const [each, setEach] = useState<string>('');
  const [window, setWindow] = useState<string>('month');
  const [unit, setUnit] = useState<string>('usd');
  const [amount, setAmount] = useState('');
  const [mode, setMode] = useState<string>('warn');
  return (
    <Form
      id="new-budget"
      class="card"
      submit={t('budgets.save')}
      onSubmit={async () => {
        await callApi(pathOf(id.trim()), {
          method: 'PUT',
          // A budget that is there is not replaced by a slip of the hand.
          headers: { 'if-none-match': '*' },
          body: {
            ...(each !== '' && { scope: { each: [each] } }),
            window,
            limit: { [unit]: Number(amount) },
            mode,
          },
        });
        setId('');
        setAmount('');
        await onSaved();
      }}
    >
      <h2>{t('budgets.new')}</h2>
      <div class="chat-fields">
        <Field
          id="budget-id"
          label={t('budgets.budget')}
          hint={t('budgets.id.hint')}
          required
          maxLength={128}
          autocomplete="off"
          value={id}
          onInput={setId}
        />
        <Choice
          label={t('budgets.who')}
          choices={EACH.map((name) => [
            name,
            name === '' ? t('budgets.all') : t('budgets.each', { name: dimensionName(name) }),
          ])}
          value={each}
          onChange={setEach}
        />
        <Choice
          label={t('budgets.window')}
          choices={WINDOWS.map((name) => [name, t(`budgets.window.${name}`)])}
          value={window}
          onChange={setWindow}
        />
        <Field
          id="budget-amount"
          label={t('budgets.limit')}
          type="number"
          min={0}
          required
          value={amount}
          onInput={setAmount}
        />
        <Choice
          label={t('budgets.unit')}
          choices={UNITS.map((name) => [name, t(`budgets.unit.${name}`)])}
          value={unit}
          onChange={setUnit}
        />
        <Choice
          label={t('budgets.state')}
          choices={MODES.map((name) => [name, t(`budgets.mode.${name}`)])}
          value={mode}
          onChange={setMode}
        />
      </div>
    </Form>
  );
}
