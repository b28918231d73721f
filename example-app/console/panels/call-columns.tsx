import type { JSX } from 'preact';
import type { UsageRecord } from '../api/contract.ts';
import type { Column } from '../components/column.ts';
import { Badge, type Tone } from '../components/controls.tsx';
import { ABSENT, formatCallCost, formatMs, formatTime, formatWhole } from '../formats.ts';
import { Name, isolated, nameOf } from '../names.tsx';
import { t, textOr } from '../texts.ts';
import type { Dimension } from '../view/view.ts';

export type Pick = (dimension: Dimension, value: string) => void;

const outcomeTones: Readonly<Record<string, Tone>> = { error: 'bad', aborted: 'warn' };

/** A value that can be filtered by. */
function pickColumn(
  dimension: 'user' | 'model' | 'conversation',
  valueOf: (call: UsageRecord) => string | undefined,
  onPick: Pick,
): Column<UsageRecord> {
  return {
    key: dimension,
    label: t(`dimension.${dimension}`),
    cell: (call) => <PickButton dimension={dimension} value={valueOf(call)} onPick={onPick} />,
  };
}

export function PickButton<D extends Dimension>({
  dimension,
  value,
  onPick,
}: {
  readonly dimension: D;
  readonly value: string | undefined;
  readonly onPick: (dimension: D, value: string) => void;
}): JSX.Element {
  const name = nameOf(dimension, value);
  return (
    <button
      type="button"
      class={value === undefined ? 'link muted' : 'link'}
      title={t('usage.filterBy', { name: isolated(name) })}
      onClick={() => onPick(dimension, value ?? '')}
    >
      <Name>{name}</Name>
    </button>
  );
}

/** Columns of single calls. */
export function callColumns(
  onPick: Pick,
): Readonly<
  Record<
    'time' | 'user' | 'model' | 'conversation' | 'tokens' | 'cost' | 'duration' | 'outcome',
    Column<UsageRecord>
  >
> {
  return {
    time: {
      key: 'time',
      label: t('calls.time'),
      cell: ({ time }) => <time dateTime={time}>{formatTime(time)}</time>,
    },
    user: pickColumn('user', (call) => call.user_id, onPick),
    model: pickColumn('model', (call) => call.request_model, onPick),
    conversation: pickColumn('conversation', (call) => call.conversation_id, onPick),
    tokens: {
      key: 'tokens',
      label: t('calls.tokens'),
      isNumber: true,
      cell: tokensText,
      title: ({ token_source: source }) => source && t(`source.${source}`),
    },
    cost: {
      key: 'cost',
      label: t('calls.cost'),
      isNumber: true,
      cell: formatCallCost,
      title: costNote,
    },
    duration: {
      key: 'duration',
      label: t('calls.duration'),
      isNumber: true,
      cell: (call) => formatMs(call.duration_ms),
      title: ({ time_to_first_chunk_ms: first }) =>
        first === undefined ? undefined : t('calls.firstChunk', { time: formatMs(first) }),
    },
    outcome: {
      key: 'outcome',
      label: t('calls.outcome'),
      cell: ({ outcome, error_type: type }) => (
        <>
          <Badge tone={outcomeTones[outcome]}>{textOr(`outcome.${outcome}`, outcome)}</Badge>
          {type !== undefined && [
            ' ',
            <code key="type">
              <Name>{type}</Name>
            </code>,
          ]}
        </>
      ),
    },
  };
}

/** "1,234 → 56", with a mark when it is an estimate. */
function tokensText({
  input_tokens: input,
  output_tokens: output,
  token_source: source,
}: UsageRecord): string {
  if (input === undefined && output === undefined) return ABSENT;
  const about = source === 'estimated' ? '≈ ' : '';
  return `${about}${formatWhole(input)} → ${formatWhole(output)}`;
}

/** Where a cost comes from, and what it does not have. */
export function costNote({
  cost_source: source,
  cost_missing: missing,
}: UsageRecord): string | undefined {
  const notes = [
    ...(source === undefined ? [] : [t(`costSource.${source}`)]),
    ...(missing === undefined ? [] : [t('cost.without', { parts: missing.join(', ') })]),
  ];
  return notes.length > 0 ? notes.join('; ') : undefined;
}
