import type { JSX } from 'preact';
import type { BudgetAccount } from '../api/contract.ts';
import type { Column } from '../components/column.ts';
import { Badge } from '../components/controls.tsx';
import { Table, useLocalRows } from '../components/table.tsx';
import { formatCompact, formatMoney, formatPercent, formatTime } from '../formats.ts';
import { Name, dimensionName, isolated } from '../names.tsx';
import { t } from '../texts.ts';

/** From this share on an account is nearly used up. */
const NEARLY = 0.8;

/** In the unit of a budget. */
export function amountOf(unit: string, value: number): string {
  return unit === 'usd' ? formatMoney(value) : formatCompact(value);
}

function whoOf(key: BudgetAccount['key']): string {
  const names = Object.entries(key).map(
    ([name, value]) => `${dimensionName(name)}: ${isolated(value ?? t('usage.none'))}`,
  );
  return names.length === 0 ? t('budgets.all') : names.join(' · ');
}

/** What is spent of each budget in its present window. */
export function BudgetAccounts({
  accounts,
}: {
  readonly accounts: readonly BudgetAccount[];
}): JSX.Element {
  const shareOf = ({ spent, limit }: BudgetAccount): number => (limit === 0 ? 1 : spent / limit);
  const columns: readonly Column<BudgetAccount>[] = [
    {
      key: 'budget',
      label: t('budgets.budget'),
      cell: ({ budget }) => <Name>{budget}</Name>,
      value: ({ budget }) => budget,
    },
    {
      key: 'who',
      label: t('budgets.who'),
      cell: ({ key }) => whoOf(key),
      value: ({ key }) => whoOf(key),
    },
    {
      key: 'spent',
      label: t('budgets.spent'),
      isNumber: true,
      cell: ({ unit, spent, limit }) => `${amountOf(unit, spent)} / ${amountOf(unit, limit)}`,
      value: ({ spent }) => spent,
    },
    {
      key: 'share',
      label: t('budgets.share'),
      isNumber: true,
      cell: (account) => {
        const share = shareOf(account);
        const tone = share >= 1 ? 'bad' : share >= NEARLY ? 'warn' : 'good';
        return <Badge tone={tone}>{formatPercent(share)}</Badge>;
      },
      value: shareOf,
    },
    {
      key: 'state',
      label: t('budgets.state'),
      cell: ({ blocked, mode, stale }) => (
        <>
          {blocked ? <Badge tone="bad">{t('budgets.blocked')}</Badge> : t(`budgets.mode.${mode}`)}
          {stale && [
            ' ',
            <Badge key="stale" tone="warn">
              {t('budgets.stale')}
            </Badge>,
          ]}
        </>
      ),
      value: ({ blocked }) => (blocked ? 1 : 0),
    },
    {
      key: 'resets',
      label: t('budgets.resets'),
      cell: ({ resets_at: time }) => formatTime(time),
      value: ({ resets_at: time }) => time,
    },
  ];
  const local = useLocalRows(accounts, columns, { name: 'budget-accounts', sort: 'share' });
  return (
    <section class="card" id="accounts" aria-labelledby="accounts-title">
      <Table
        id="accounts"
        title={t('budgets.accounts')}
        columns={columns}
        keyOf={({ budget, key }) => `${budget} ${JSON.stringify(key)}`}
        nothing={t('budgets.noAccounts')}
        canSearch
        {...local}
      />
    </section>
  );
}
