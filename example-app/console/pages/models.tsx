import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Row, Summary } from '../api/contract.ts';
import { type Answered, useLoader } from '../api/loader.ts';
import type { UsageApi } from '../api/usage-api.ts';
import { Chart, Legend } from '../components/chart/chart.tsx';
import { coloursOf } from '../components/chart/colours.ts';
import type { Column } from '../components/column.ts';
import { Panel } from '../components/controls.tsx';
import { Choice } from '../components/form.tsx';
import { Table, useLocalRows } from '../components/table.tsx';
import {
  formatCompact,
  formatCost,
  formatMoney,
  formatMs,
  formatPercent,
  formatWhole,
  partialCostText,
} from '../formats.ts';
import { PickButton } from '../panels/call-columns.tsx';
import { namesOf } from '../panels/questions.ts';
import { RangePage } from '../panels/range-page.tsx';
import { formatUnit, type Unit, unitsIn } from '../panels/units.tsx';
import { Name, isolated } from '../names.tsx';
import { t } from '../texts.ts';
import { bucketValues } from '../view/buckets.ts';
import { change, view, zoom } from '../view/current-view.ts';

const MAX_MODELS = 1000;
const MAX_COMPARED = 2;

/** Those that are compared are no filter here. Percentiles take longer. */
const byModel =
  (percentiles: boolean) =>
  (api: UsageApi): Promise<Summary> =>
    api.summary({
      model: undefined,
      group_by: 'model',
      metric: 'total_tokens',
      limit: MAX_MODELS,
      ...(percentiles && { percentiles }),
    });

/** What 1,000 tokens cost, as they were really paid. */
function costOfThousand({ cost_usd: cost, total_tokens: tokens }: Row): number | undefined {
  return cost === undefined || !tokens ? undefined : (1000 * cost) / tokens;
}

/** Every model of a range, and two of them side by side. */
export function ModelsPage(): JSX.Element {
  const shown = view.value;
  const loader = useLoader(
    {
      sums: { sums: byModel(false), course: courseOfPair },
      scans: { percentiles: byModel(true), whatIf: whatIfOfPair },
    },
    shown,
  );
  const { answers } = loader.state.value;
  const isSameView = answers.percentiles?.view === answers.sums?.view;
  const models = isSameView ? answers.percentiles : answers.sums;
  const rows = models?.value.rows.filter((row) => !row.is_other) ?? [];
  const columns = useMemo(() => columnsOf(unitsIn(rows)), [shown, models]);
  const local = useLocalRows(rows, columns, { name: 'models', sort: 'total_tokens' });
  return (
    <RangePage
      id="models-page"
      title={t('models.title')}
      loader={loader}
      known={{ model: namesOf(models, 'model') }}
    >
      <section class="card" id="models" aria-labelledby="models-title">
        <Table
          id="models"
          title={t('models.all')}
          columns={columns}
          keyOf={(row) => row.model ?? ''}
          nothing={models ? t('usage.nothing') : t('app.loading')}
          canSearch
          {...local}
        />
      </section>
      <Compared all={namesOf(models, 'model')} answers={answers} />
    </RangePage>
  );
}

/** `units`: those that any model was used for. */
function columnsOf(units: readonly Unit[]): readonly Column<Row>[] {
  const number = (
    key: string,
    label: string,
    value: (row: Row) => number | undefined,
    format: (value: number | undefined) => string,
  ): Column<Row> => ({ key, label, isNumber: true, value, cell: (row) => format(value(row)) });
  return [
    {
      key: 'model',
      label: t('dimension.model'),
      cell: ({ model }) => <PickButton dimension="model" value={model} onPick={toggle} />,
      value: ({ model }) => model,
    },
    number('calls', t('measure.calls'), (row) => row.calls, formatWhole),
    number('total_tokens', t('measure.total_tokens'), (row) => row.total_tokens, formatCompact),
    {
      ...number('cost_usd', t('measure.cost_usd'), (row) => row.cost_usd, formatMoney),
      cell: formatCost,
      title: (row) => partialCostText(row.partial_cost_calls) || undefined,
    },
    number('thousand', t('models.thousand'), costOfThousand, formatMoney),
    number('cache', t('models.cache'), (row) => row.cache_read_share, formatPercent),
    number('p50', t('models.p50'), (row) => row.duration_p50_ms, formatMs),
    number('p95', t('models.p95'), (row) => row.duration_p95_ms, formatMs),
    number('speed', t('models.speed'), (row) => row.output_tokens_per_second, formatWhole),
    number('errors', t('tile.errors'), (row) => row.error_rate, formatPercent),
    // Last: there may be many.
    ...units.map((unit) =>
      number(
        unit,
        t(`unit.${unit}`),
        (row) => row.units?.[unit],
        (amount) => formatUnit(unit, amount),
      ),
    ),
  ];
}

/** Compares these models; there is room for two. */
function compare(models: readonly string[]): void {
  const { model: _, ...filters } = view.value.filters;
  const chosen = [...new Set(models.filter((name) => name !== ''))].slice(-MAX_COMPARED);
  change({ filters: chosen.length > 0 ? { ...filters, model: chosen } : filters });
}

function toggle(_: 'model', model: string): void {
  const { model: chosen = [] } = view.value.filters;
  const rest = chosen.filter((name) => name !== model);
  compare(rest.length < chosen.length ? rest : [...rest, model]);
}

/** The two models that are filtered by. */
function pairOf(models: readonly string[] | undefined): readonly [string, string] | undefined {
  const [first, second] = models ?? [];
  return first && second && models?.length === MAX_COMPARED ? [first, second] : undefined;
}

async function courseOfPair(api: UsageApi): Promise<Summary | undefined> {
  if (!pairOf(api.context.view.filters.model)) return undefined;
  const { unit } = api.context.period;
  return await api.summary({ group_by: `${unit},model`, limit: MAX_COMPARED });
}

/** What the calls of each would have cost with the other. */
async function whatIfOfPair(api: UsageApi) {
  const pair = pairOf(api.context.view.filters.model);
  if (!pair) return undefined;
  const [one, other] = pair;
  const rules = [`${one}=${other}`, `${other}=${one}`];
  const { what_if: answers } = await api.ask('/api/usage/costs', { what_if: rules });
  return answers;
}

function Compared({
  all,
  answers: { course, whatIf },
}: {
  readonly all: readonly string[];
  readonly answers: {
    readonly course?: Answered<Summary | undefined>;
    readonly whatIf?: Answered<Awaited<ReturnType<typeof whatIfOfPair>>>;
  };
}): JSX.Element {
  const { model: chosen = [] } = view.value.filters;
  const [one = '', other = ''] = chosen;
  const choices = [
    ['', t('models.choose')] as const,
    ...[...new Set([...chosen, ...all])].map((name) => [name, isolated(name)] as const),
  ];
  return (
    <Panel id="compare-models" title={t('models.compare')}>
      <div class="chat-fields">
        <Choice
          label={t('models.first')}
          choices={choices}
          value={one}
          onChange={(name) => compare([name, other])}
        />
        <Choice
          label={t('models.second')}
          choices={choices}
          value={other}
          onChange={(name) => compare([one, name])}
        />
      </div>
      {course?.value && <CostChart course={{ ...course, value: course.value }} />}
      <ul>
        {whatIf?.value?.map(({ from, to, calls, cost_usd: cost, cost_then_usd: then, ...rest }) => (
          <li key={from}>
            <Name>
              {cost === undefined || then === undefined
                ? t('models.noPrice', { from, to })
                : t('models.whatIf', {
                    count: formatWhole(calls),
                    from,
                    to,
                    cost: formatMoney(cost),
                    other: formatMoney(then),
                  })}
            </Name>
            {cost !== undefined &&
              rest.unpriced_then + rest.unpriced_calls > 0 &&
              ` ${t('models.unpriced', { count: rest.unpriced_then + rest.unpriced_calls })}`}
            {rest.other_tokenizer && ` ${t('models.tokenizer')}`}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function CostChart({ course }: { readonly course: Answered<Summary> }): JSX.Element {
  const series = useMemo(() => {
    const byName = Map.groupBy(course.value.rows, ({ model = '' }) => model);
    const colours = coloursOf([...byName.keys()]);
    return [...byName].map(([name, rows]) => ({
      key: name,
      name,
      colour: colours.get(name) ?? '--series-1',
      values: bucketValues(rows, course.period, costOfThousand),
    }));
  }, [course.value]);
  const data = useMemo(
    () => ({ period: course.period, series, gaps: [], notes: [], format: formatMoney }),
    [series],
  );
  return (
    <>
      <h3>{t('models.thousandOverTime')}</h3>
      <Chart name={t('models.thousandOverTime')} shape="lines" data={data} onSelect={zoom} />
      <Legend items={series.map((each) => ({ ...each, value: '' }))} />
    </>
  );
}
