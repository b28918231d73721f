import type { JSX } from 'preact';
import type { Conversation, UsageRecord } from '../api/contract.ts';
import type { Column } from '../components/column.ts';
import { Table } from '../components/table.tsx';
import { formatCost, formatMs, formatWhole, partialCostText } from '../formats.ts';
import { isolated } from '../names.tsx';
import { t } from '../texts.ts';
import { pick } from '../view/current-view.ts';
import { callColumns } from './call-columns.tsx';

/** The calls of one conversation, and the growth of its context. */
export function ConversationPanel({
  conversation,
}: {
  /** Undefined: unknown conversation. */
  readonly conversation: Conversation | undefined;
}): JSX.Element {
  const { records = [], total, truncated = false } = conversation ?? {};
  const most = Math.max(1, ...records.map((call) => call.total_tokens ?? 0));
  const before = (total?.calls ?? records.length) - records.length;
  const { model, time, tokens, cost, duration, outcome } = callColumns(pick);
  const columns: readonly Column<UsageRecord>[] = [
    {
      key: '#',
      label: '#',
      isNumber: true,
      cell: (call) => String(before + records.indexOf(call) + 1),
    },
    time,
    model,
    tokens,
    {
      key: 'bar',
      label: '',
      isDecoration: true,
      cell: ({ input_tokens: input = 0, output_tokens: output = 0 }) => (
        <span class="token-bar">
          <span class="input" style={{ '--tokens': String(input) }} />
          <span class="output" style={{ '--tokens': String(output) }} />
        </span>
      ),
    },
    cost,
    duration,
    outcome,
  ];
  return (
    <section
      class="card"
      id="conversation"
      aria-labelledby="conversation-title"
      style={{ '--most': String(most) }}
    >
      <Table
        id="conversation"
        title={t('conversation.title')}
        columns={columns}
        rows={records}
        keyOf={({ id }) => id}
        nothing=""
        tools={<p class="facts">{total ? factsOf(records, total) : t('conversation.unknown')}</p>}
      />
      {truncated && <p class="muted truncated">{t('conversation.truncated')}</p>}
    </section>
  );
}

function factsOf(
  records: readonly UsageRecord[],
  total: NonNullable<Conversation['total']>,
): string {
  const users = [...new Set(records.map((call) => call.user_id ?? t('usage.noUser')))];
  const first = Date.parse(records[0]?.time ?? '');
  const last = Date.parse(records.at(-1)?.time ?? '');
  return [
    users.slice(0, 3).map(isolated).join(', '),
    t('usage.calls', { count: formatWhole(total.calls) }),
    t('usage.tokens', { count: formatWhole(total.total_tokens) }),
    formatCost(total),
    partialCostText(total.partial_cost_calls),
    t('conversation.span', { time: formatMs(last - first) }),
  ]
    .filter((fact) => fact !== '')
    .join(' · ');
}
