import type { JSX } from 'preact';
import { ApiError, callApi } from '../api/client.ts';
import type { UsageRunTree } from '../api/contract.ts';
import { useAnswer } from '../api/use-answer.ts';
import type { Column } from '../components/column.ts';
import { Table } from '../components/table.tsx';
import { formatCost, formatMs, formatPercent, formatTime, formatWhole } from '../formats.ts';
import { isolated, Name } from '../names.tsx';
import { Problem } from '../panels/notices.tsx';
import { t } from '../texts.ts';
import { linkTo, view } from '../view/current-view.ts';

/** Calls of a run that goes on. */
const EVERY_MS = 10_000;
/** As wide as two spaces of a fixed font. */
const INDENT = '\u2003';

type Step = UsageRunTree['steps'][number];
type Numbers = UsageRunTree['total'];

/** A step with all calls inside, or the calls of one model that it made itself. */
interface Line {
  readonly key: string;
  readonly depth: number;
  readonly kind: Step['kind'] | 'model' | 'run';
  readonly name: string;
  readonly numbers: Numbers;
  readonly elapsedMs: number | undefined;
}

/** The tree of one run. The run is the filter of the address. */
export function RunPage(): JSX.Element {
  const [id = ''] = view.value.filters.run ?? [];
  return <RunTree key={id} id={id} />;
}

function RunTree({ id }: { readonly id: string }): JSX.Element {
  const { value: run, problem, reload } = useAnswer(() => runOf(id), EVERY_MS);
  return (
    <div class="range-page" id="run-page" data-loaded={run === undefined ? undefined : 'true'}>
      <div class="page-head">
        <div>
          <h1>
            {t('run.title')} <Name>{id}</Name>
          </h1>
          <p class="muted">{run ? whenOf(run) : ''}</p>
        </div>
        <a href={linkTo('/calls', '90d', 'run', id)}>{t('run.calls')}</a>
      </div>
      <Problem problem={problem} onRetry={() => void reload()} />
      <section class="card" id="run" aria-labelledby="run-title">
        <Table
          id="run"
          title={t('run.tree')}
          columns={COLUMNS}
          rows={run ? linesOf(run) : []}
          keyOf={({ key }) => key}
          nothing={run === null ? t('run.unknown') : ''}
        />
        {run && <p class="muted">{notesOf(run)}</p>}
      </section>
    </div>
  );
}

/** Null: there is no such run. */
async function runOf(id: string): Promise<UsageRunTree | null> {
  try {
    const answer = await callApi(`/api/usage/runs/${encodeURIComponent(id)}`);
    return (await answer.json()) as UsageRunTree;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

const COLUMNS: readonly Column<Line>[] = [
  {
    key: 'step',
    label: t('run.step'),
    cell: ({ depth, kind, name }) => (
      <>
        {INDENT.repeat(depth)}
        {kind !== 'model' && <span class="muted">{t(`run.${kind}`)} </span>}
        <Name>{name}</Name>
      </>
    ),
  },
  number('calls', t('measure.calls'), ({ numbers }) => formatWhole(numbers.calls)),
  number('tokens', t('measure.total_tokens'), ({ numbers }) => formatWhole(numbers.total_tokens)),
  number('cost', t('measure.cost_usd'), ({ numbers }) => formatCost(numbers)),
  number('errors', t('run.errors'), ({ numbers }) => formatWhole(numbers.errors)),
  number('time', t('calls.duration'), ({ elapsedMs }) => formatMs(elapsedMs)),
];

function number(key: string, label: string, cell: Column<Line>['cell']): Column<Line> {
  return { key, label, cell, isNumber: true };
}

function linesOf(run: UsageRunTree): readonly Line[] {
  return [
    ...below(run, 'run', 0),
    {
      key: 'run',
      depth: 0,
      kind: 'run',
      name: '',
      numbers: run.total,
      elapsedMs: run.elapsed_ms,
    },
  ];
}

function below(
  { models, steps }: Pick<Step, 'models' | 'steps'>,
  around: string,
  depth: number,
): readonly Line[] {
  return [
    ...models.map((model) => ({
      key: `${around} ${model.provider} ${model.model}`,
      depth,
      kind: 'model' as const,
      name: model.model,
      numbers: model,
      elapsedMs: undefined,
    })),
    ...steps.flatMap((step) => {
      const key = `${around} ${step.id}`;
      const { kind, name, total, elapsed_ms: elapsedMs } = step;
      return [
        { key, depth, kind, name, numbers: total, elapsedMs },
        ...below(step, key, depth + 1),
      ];
    }),
  ];
}

const whenOf = ({ start, end }: UsageRunTree): string =>
  `${isolated(formatTime(start))} – ${isolated(formatTime(end))}`;

/** What the sums leave out. */
function notesOf({ total, truncated, folded_calls: folded }: UsageRunTree): string {
  const { estimated_share: estimated = 0, unpriced_calls: unpriced } = total;
  return [
    ...(truncated ? [t('run.truncated')] : []),
    ...(folded === undefined ? [] : [t('run.folded', { count: folded })]),
    ...(estimated > 0 ? [t('run.estimated', { share: formatPercent(estimated) })] : []),
    ...(unpriced > 0 ? [t('run.unpriced', { count: unpriced })] : []),
  ].join(' ');
}
